#!lua flags=allow-oom
--[[
Makes a namespace where there is none. Of several clients that try, one makes it and all get the same answer.

KEYS  1: the namespace's cluster key
ARGV  1: format  2: cluster id  3: the shards' tags, separated by spaces
Returns  format, cluster id and tags, as they are stored
]]
local cluster = KEYS[1]
local format, id, shards = ARGV[1], ARGV[2], ARGV[3]

if redis.call('HEXISTS', cluster, 'format') == 0 then
  redis.call('HSET', cluster, 'format', format, 'id', id, 'shards', shards, 'version', '0')
end
return redis.call('HMGET', cluster, 'format', 'id', 'shards')
