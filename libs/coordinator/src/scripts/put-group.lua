#!lua flags=allow-oom
--[[
Changes one entry of the registry of groups, if it is still what the caller saw.

KEYS  1: groups
ARGV  1: group id  2: the entry expected, '' = none  3: the new entry, '' = delete it
Returns  1 changed; 0 somebody else has changed it
]]
local groups = KEYS[1]
local id, expected, entry = ARGV[1], ARGV[2], ARGV[3]

if (redis.call('HGET', groups, id) or '') ~= expected then return 0 end
if entry == '' then
  redis.call('HDEL', groups, id)
else
  redis.call('HSET', groups, id, entry)
end
return 1
