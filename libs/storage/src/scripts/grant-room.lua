#!lua flags=allow-oom
--[[
Grants a shard room for records, or takes granted room back, unless it was granted something or deprived of something
since the caller looked. What appends take meanwhile stays right: the counters are only added to.

KEYS  1: shard
ARGV  1: bytes; negative: taken back  2: what was granted when the caller looked

The shard hash: granted = bytes that the shard may hold; left = what is left of them (below 0: that much too much was
taken back). Their difference is what it holds, and what its partitions have taken and not used yet.
]]
local shard, bytes, granted = KEYS[1], ARGV[1], ARGV[2]

if tonumber(redis.call('HGET', shard, 'granted') or 0) ~= tonumber(granted) then return end
redis.call('HINCRBY', shard, 'granted', bytes)
redis.call('HINCRBY', shard, 'left', bytes)
