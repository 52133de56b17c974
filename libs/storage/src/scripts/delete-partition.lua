#!lua flags=allow-oom
--[[
Deletes a partition and all its keys.

KEYS  1: shard  2: state  3: producers  4: epochs  5: segments  6…: the logs, oldest segment to active one
ARGV  1: the oldest segment's number, 2: the active one's, as the caller knows them
Returns  nil: it is gone; else the oldest and the active segment's number, which the caller did not know
Errors  UNSUPPORTED_VERSION
]]
local shard, state_key = KEYS[1], KEYS[2]
local oldest, newest = tonumber(ARGV[1]), tonumber(ARGV[2])

--- @include "partition-state"

local state = redis.call('GET', state_key)
if not state then return false end
local format, _, _, _, _, _, _, _, size, _, active, _, _, _, _, first, room = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest or active ~= newest then return { first, active } end
-- Lua hands over only some thousand values at a time
for i = 2, #KEYS, 1000 do redis.call('UNLINK', unpack(KEYS, i, math.min(i + 999, #KEYS))) end
redis.call('HINCRBY', shard, 'left', size + room)
return false
