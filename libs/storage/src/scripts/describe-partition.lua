#!lua flags=no-writes
--[[
All that is known of a partition, at one moment.

KEYS  1: state  2: segments  3: epochs
ARGV  1: 1 = leader epochs are kept, 0 = they are not
Returns  state (nil: there is no such partition), segments with scores, epochs with scores, replication id ('' if not kept)
]]
local state, segments, epochs = unpack(KEYS)
local epochs_kept = ARGV[1] == '1'

--- @include "replication-id"

return {
  redis.call('GET', state),
  redis.call('ZRANGE', segments, 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', epochs, 0, -1, 'WITHSCORES'),
  epochs_kept and replication_id() or '',
}
