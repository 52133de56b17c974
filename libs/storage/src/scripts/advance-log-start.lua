#!lua flags=allow-oom
--[[
Moves a partition's log start offset forward. What lies below it is dropped by drop-deleted, step by step.

KEYS  1: state
ARGV  1: the new log start offset; -1 = the log's end
Returns  the log start offset, which is never moved back
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION, OFFSET_OUT_OF_RANGE
]]
local state_key, offset = KEYS[1], tonumber(ARGV[1])

--- @include "partition-state"

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, _, _, start, end_offset = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if offset == -1 then offset = end_offset end
if offset > end_offset then
  return redis.error_reply(string.format('OFFSET_OUT_OF_RANGE the log ends at %.0f', end_offset))
end
if offset <= start then return start end
redis.call('SETRANGE', state_key, 16, struct.pack('>i8', offset))
return offset
