#!lua flags=no-writes
--[[
Finds the first batch of a segment that holds a record with a timestamp of at least the one asked for, by halving the
range of offsets: of each entry the largest timestamp up to it is known (field m, field t, or the batch's own).

KEYS  1: log of the segment
ARGV  1: timestamp, ms  2: first offset of the range  3: offset after the range
Returns  the entry: id and fields; nil: there is none
]]
local log = KEYS[1]
local wanted, low, high = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local found = false
while low < high do
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', log, string.format('0-%.0f', middle + 1), '+', 'COUNT', 1)[1]
  if not entry or entry[1] == '1-0' then
    high = middle
  else
    local fields, batch, running = entry[2], nil, nil
    for f = 1, #fields, 2 do
      if fields[f] == 'b' then batch = fields[f + 1]
      elseif fields[f] == 'm' then running = tonumber(fields[f + 1])
      elseif fields[f] == 't' and not running then running = tonumber(fields[f + 1]) end
    end
    local last_delta, _, own = struct.unpack('>i4i8i8', batch, 24)
    local end_offset = tonumber(string.sub(entry[1], 3))
    if (running or own) >= wanted then
      found = entry
      high = math.min(middle, end_offset - last_delta - 1)
    else
      low = end_offset
    end
  end
end
return found
