#!lua flags=no-writes
--[[
Reads batches from several partitions, up to a number of bytes each and in all. Never blocks.

KEYS  two a partition: state, log of the segment to read
ARGV  1: bytes in all
      then two a partition: first offset wanted, bytes
Returns  one array a partition: state (nil: there is no such partition), next segment's number (-1: the end of this one
         was not reached), 1 = a bound ended it, and then
         a string of 28 bytes a batch, big-endian:  i64 end offset  c12 leader epoch, as stored  i64 append time or -1
         and the batches themselves
Errors  UNSUPPORTED_VERSION: an entry has a field in upper case, which a reader must understand and this one does not
]]
local budget = tonumber(ARGV[1])
-- Entries are read in chunks that grow while batches are small: a call each would cost more than the bytes do, and a
-- chunk of large ones would hold the server for bytes that the bound then drops.
local CHUNK_ENTRIES, CHUNK_BYTES = 32, 65536

local function read(state, log, from, max)
  local bytes = math.min(max, budget)
  local metas, reply = {}, { state, -1, 0, '' }
  local count, id = 1, '(0-' .. from
  local total = 0
  while bytes > 0 do
    local entries = redis.call('XRANGE', log, id, '+', 'COUNT', count)
    for i = 1, #entries do
      local fields = entries[i][2]
      id = entries[i][1]
      if id == '1-0' then
        reply[2] = tonumber(fields[2])
        break
      end
      if bytes <= 0 then break end
      local batch, epoch, time = nil, nil, -1
      for f = 1, #fields, 2 do
        local name = fields[f]
        if name == 'b' then batch = fields[f + 1]
        elseif name == 'e' then epoch = fields[f + 1]
        elseif name == 't' then time = tonumber(fields[f + 1])
        elseif string.match(name, '^%u') then error({ err = 'UNSUPPORTED_VERSION entry ' .. id .. ' of ' .. log .. ' has the field ' .. name }) end
      end
      metas[#metas + 1] = struct.pack('>i8c12i8', tonumber(string.sub(id, 3)), epoch, time)
      reply[#reply + 1] = batch
      bytes = bytes - #batch
      total = total + #batch
    end
    if #entries < count or reply[2] >= 0 then break end
    count = math.max(1, math.min(CHUNK_ENTRIES, math.floor(CHUNK_BYTES * #metas / total), math.ceil(bytes * #metas / total)))
    id = '(' .. id
    if bytes <= 0 then reply[3] = 1 end
  end
  if bytes <= 0 then reply[3] = 1 end
  budget = budget - total
  reply[4] = table.concat(metas)
  return reply
end

local replies = {}
for i = 0, #KEYS / 2 - 1 do
  local state = redis.call('GET', KEYS[i * 2 + 1])
  replies[i + 1] = state and read(state, KEYS[i * 2 + 2], ARGV[i * 2 + 2], tonumber(ARGV[i * 2 + 3])) or { false, -1, 0, '' }
end
return replies
