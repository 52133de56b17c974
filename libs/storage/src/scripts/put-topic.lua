#!lua flags=allow-oom
--[[
Changes one entry of the topic registry, if it is still what the caller saw. Whoever has it cached is told.

KEYS  1: topics  2: the namespace's cluster key
ARGV  1: channel of changes  2: topic  3: the entry expected, '' = none  4: the new entry, '' = delete it
Returns  1 changed; 0 and the entry that is there, '' = none
]]
local topics, cluster = KEYS[1], KEYS[2]
local channel, topic, expected, entry = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local found = redis.call('HGET', topics, topic) or ''
if found ~= expected then return { 0, found } end
if entry == '' then
  redis.call('HDEL', topics, topic)
else
  redis.call('HSET', topics, topic, entry)
end
redis.call('HINCRBY', cluster, 'version', 1)
-- The change is made: that nobody may be told of it (the channel is not permitted) is no failure.
redis.pcall('PUBLISH', channel, topic)
return { 1, entry }
