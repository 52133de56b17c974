#!lua flags=allow-oom
--[[
One step of giving back what lies below the log start offset: drops the oldest segment, if all of it does, or else
trims up to so many entries from its beginning.

KEYS  1: shard  2: state  3: segments  4: log of the oldest segment
ARGV  1: the oldest segment's number, as the caller knows it  2: entries to trim at most
Returns  the oldest segment's number, and 1 if there may be more to drop
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION
]]
local shard, state_key, segments, log = unpack(KEYS)
local oldest, most = tonumber(ARGV[1]), tonumber(ARGV[2])

--- @include "partition-state"

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, _, _, start, end_offset, size, max_timestamp, active, base, active_size, active_timestamp, since,
  first = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest then return { first, 1 } end

local function give_back(bytes)
  redis.call('SETRANGE', state_key, 32, struct.pack('>i8', size - bytes))
  redis.call('HINCRBY', shard, 'left', bytes)
end

local member, score = unpack(redis.call('ZRANGE', segments, 0, 0, 'WITHSCORES'))
local sealed_end, sealed_bytes, rest = nil, nil, nil
if oldest ~= active then
  local e, b, r = string.match(member, '^%d+ (%d+) (%d+) (.*)$')
  sealed_end, sealed_bytes, rest = tonumber(e), tonumber(b), r
  if sealed_end <= start then
    redis.call('UNLINK', log)
    redis.call('ZREM', segments, member)
    redis.call('SETRANGE', state_key, 88, struct.pack('>i8', oldest + 1))
    give_back(sealed_bytes)
    return { oldest + 1, 1 }
  end
end

local entries = redis.call('XRANGE', log, '-', string.format('0-%.0f', start), 'COUNT', most)
if #entries == 0 then return { oldest, 0 } end
local bytes = 0
for i = 1, #entries do
  local fields = entries[i][2]
  for f = 1, #fields, 2 do
    if fields[f] == 'b' then bytes = bytes + #fields[f + 1] end
  end
end
local last = tonumber(string.sub(entries[#entries][1], 3))
redis.call('XTRIM', log, 'MINID', string.format('0-%.0f', last + 1))
if sealed_end then
  redis.call('ZREM', segments, member)
  redis.call('ZADD', segments, score, string.format('%.0f %.0f %.0f %s', oldest, sealed_end, sealed_bytes - bytes, rest))
else
  redis.call('SETRANGE', state_key, 64, struct.pack('>i8', active_size - bytes))
end
give_back(bytes)
return { oldest, #entries == most and 1 or 0 }
