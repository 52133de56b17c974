#!lua flags=allow-oom
--[[
Begins a new leader epoch at the log's end, if the server's replication id is not the one that the partition was last
written under.

KEYS  1: state  2: epochs
Returns  the current epoch's number
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION

The epochs sorted set: score = first offset; member = '<number>.<first 8 digits of the replication id>'.
]]
local state_key, epochs = unpack(KEYS)
local HISTORY = 128

--- @include "partition-state"
--- @include "replication-id"

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, number, known_id, _, end_offset = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
local id = replication_id()
if id == known_id then return number end

number = number + 1
-- an epoch under which nothing was written is no part of the history
redis.call('ZREMRANGEBYSCORE', epochs, string.format('%.0f', end_offset), '+inf')
redis.call('ZADD', epochs, string.format('%.0f', end_offset), number .. '.' .. id)
redis.call('ZREMRANGEBYRANK', epochs, 0, -HISTORY - 1)
redis.call('SETRANGE', state_key, 4, struct.pack('>i4c8', number, id))
return number
