#!lua
--[[
Makes an empty partition. All keys that a partition will ever need by name are made here and stay until it is deleted:
an append never creates state, and a script whose keys are half there fails while a Cluster moves the slot.

KEYS  1: state  2: producers  3: epochs  4: segments  5: log of segment 0
ARGV  1: 1 = leader epochs are kept, 0 = they are not
Returns  1 made; 0 it was there already
]]
local state_key, producers, epochs, segments, log = unpack(KEYS)
local epochs_kept = ARGV[1] == '1'

--- @include "partition-state"
--- @include "replication-id"
--- @include "empty-log"
--- @include "now"

if redis.call('EXISTS', state_key) == 1 then return 0 end
local id = epochs_kept and replication_id() or '00000000'
make_empty_log(log, 0)
redis.call('ZADD', segments, 0, '0')
redis.call('ZADD', epochs, 0, '0.' .. id)
-- the empty field keeps the hash alive while no producer is known
redis.call('HSET', producers, '', '')
-- neither a latest producer nor an append session
redis.call('SET', state_key, struct.pack(STATE, STATE_FORMAT, 0, 0, 0, 0, id, 0, 0, 0, -1, 0, 0, 0, -1, now_ms(), 0, 0)
  .. string.rep('\255', 130) .. string.rep('\0', 8))
return 1
