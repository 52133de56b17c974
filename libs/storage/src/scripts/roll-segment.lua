#!lua flags=allow-oom
--[[
Seals the active segment and opens the next one. The marker 1-0 is the sealed stream's last entry: it wakes the readers
that are blocked on it and sends them on.

KEYS  1: state  2: segments  3: log of the segment to seal  4: log of the next one
ARGV  1: the number of the segment to seal
Returns  the active segment's number: the next one, or another if the segment was sealed already, or the same if it is
         empty (there is nothing to seal)
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION

The segments sorted set: score = base offset; member = '<n>' for the active segment and, once sealed,
'<n> <end offset> <bytes> <largest timestamp> <sealed at, ms>'.
]]
local state_key, segments, log, next_log = unpack(KEYS)
local segment = tonumber(ARGV[1])

--- @include "partition-state"
--- @include "empty-log"
--- @include "now"

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, _, _, _, end_offset, size, max_timestamp, active, base, active_size, active_timestamp =
  struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if active ~= segment or end_offset == base then return active end

local next_number, now = segment + 1, now_ms()
redis.call('XADD', log, '1-0', 's', string.format('%.0f', next_number))
make_empty_log(next_log, end_offset)
redis.call('ZREM', segments, string.format('%.0f', segment))
redis.call('ZADD', segments, string.format('%.0f', base), string.format('%.0f %.0f %.0f %.0f %.0f', segment, end_offset,
  active_size, active_timestamp, now))
redis.call('ZADD', segments, string.format('%.0f', end_offset), string.format('%.0f', next_number))
redis.call('SETRANGE', state_key, 48, struct.pack('>i8i8i8i8i8', next_number, end_offset, 0, -1, now))
return next_number
