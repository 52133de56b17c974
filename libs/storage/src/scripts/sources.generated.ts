// Made by `npm run generate` from the Lua files beside it: do not edit.

export const sources = {
  'advance-log-start': {
    sha1: '0a4614a51880b0e81dcb36d0c9a5e7caac26c3ac',
    lua: `#!lua flags=allow-oom
--[[
Moves a partition's log start offset forward. What lies below it is dropped by drop-deleted, step by step.

KEYS  1: state
ARGV  1: the new log start offset; -1 = the log's end
Returns  the log start offset, which is never moved back
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION, OFFSET_OUT_OF_RANGE
]]
local state_key, offset = KEYS[1], tonumber(ARGV[1])

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1

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
`,
  },
  append: {
    sha1: 'bbeb85ae3d3a53e35fd1cbede1cab81489234ceb',
    lua: `#!lua
--[[
Appends record batches, at most one a partition. Each batch is checked whole before anything of it is written; a batch
that is refused leaves nothing behind and does not keep its neighbours from being appended.

KEYS  the shards of the batches, each once; then three a batch: state, producers, log of the segment that the caller takes
      for active
ARGV  1: bytes, big-endian, since an argument each would cost more than what it says:
         u8 1 = leader epochs are kept (INFO is permitted), 0 = they are not;  u16 the number of shards
         then 27 a batch:  u16 which of the shards, from 0  i64 segment number  i64 segment.bytes  i64 segment.ms
                           u8 1 = the log gives the timestamp (LogAppendTime)
      then the batches
Returns  four a batch: status, base offset, log start offset, log append time (-1: the producer's timestamps)
  status 0 appended; 1 it was there already (the first append's offsets); else a name:
  what the caller mends:  STALE_SEGMENT (second value: the active segment's number), SEGMENT_FULL (roll it),
                          NEW_LEADER_EPOCH (begin it), SHARD_FULL (ask for room)
  what it passes on:      UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION, CORRUPT_MESSAGE, INVALID_PRODUCER_EPOCH,
                          OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER
Flags  none: refused when memory is full

The producers hash: field = the producer id's 8 bytes as in the batch; value, big-endian:

   0 i16 epoch   2 i64 when it last appended, ms (those idle for IDLE_MS are dropped, some each time that one is added)
  10 then up to five, newest first, of 24 bytes:  i32 first sequence  i32 last sequence  i64 base offset  i64 append time
]]
-- locals, because looking names up is a good part of what a small batch costs
local call, read, write = redis.call, struct.unpack, struct.pack
local calls = ARGV[1]
local epochs_kept, shards = read('>BH', calls)
local LATEST_BATCHES = 5
-- Longer than any retry lasts; Kafka's producer.id.expiration.ms. So many are looked at for each producer that is added:
-- of those that are kept, few are idle then, however many come and go.
local IDLE_MS, LOOKED_AT = 86400000, 8

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1
-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local replication_id = epochs_kept == 1 and replication_id()
local now = now_ms()
local replies = {}
-- the shards' counters, read once and written once a call
local held, limits, grown = {}, {}, {}

local function reply(status, base, start, time)
  local n = #replies
  replies[n + 1], replies[n + 2], replies[n + 3], replies[n + 4] = status, base or -1, start or -1, time or -1
end

-- What the producer's state says of this batch: nil = append it, with what to keep and whether it is new; else a status.
local function check_producer(producers, field, epoch, first, last)
  local known = call('HGET', producers, field)
  local kept = ''
  if known then
    local known_epoch = read('>i2', known)
    if epoch < known_epoch then return 'INVALID_PRODUCER_EPOCH' end
    if epoch == known_epoch then
      if #known > 10 then
        local newest_last = read('>i4', known, 15)
        if first ~= (newest_last + 1) % 2147483648 then
          for at = 11, #known, 24 do
            local f, l, base, time = read('>i4i4i8i8', known, at)
            if f == first and l == last then return 1, base, time end
          end
          -- behind the newest by less than half the sequence space: older than what is remembered
          if (newest_last - first) % 2147483648 < 1073741824 then return 'DUPLICATE_SEQUENCE_NUMBER' end
          return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
        end
      end
      kept = string.sub(known, 11, 10 + 24 * (LATEST_BATCHES - 1))
    elseif first ~= 0 then
      return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    end
  end
  return nil, kept, not known
end

-- Not permitted by a user's rights (HRANDFIELD): all are kept.
local function forget_idle(producers)
  local some = redis.pcall('HRANDFIELD', producers, LOOKED_AT, 'WITHVALUES')
  for i = 1, #some, 2 do
    local value = some[i + 1]
    if #value > 10 and now - read('>i8', value, 3) > IDLE_MS then call('HDEL', producers, some[i]) end
  end
end

local function append(shard, state_key, producers, log, segment, segment_bytes, segment_ms, log_time, batch)
  local state = call('GET', state_key)
  if not state then return reply('UNKNOWN_TOPIC_ID') end
  local format, _, _, _, epoch_number, epoch_id, start, end_offset, size, max_timestamp, active, base, active_size,
    active_timestamp, active_since = read(STATE, state)
  if format ~= STATE_FORMAT then return reply('UNSUPPORTED_VERSION') end

  local bytes = #batch
  if bytes < 61 then return reply('CORRUPT_MESSAGE') end
  local length, magic, last_delta, batch_timestamp, producer_id, epoch, first =
    read('>i4xxxxbxxxxxxi4xxxxxxxxi8i8i2i4', batch, 9)
  if length ~= bytes - 12 or magic ~= 2 or last_delta < 0 then return reply('CORRUPT_MESSAGE') end

  local last, kept, field, is_new
  if producer_id >= 0 then
    field = string.sub(batch, 44, 51)
    last = (first + last_delta) % 2147483648
    local status, value, time = check_producer(producers, field, epoch, first, last)
    if status == 1 then return reply(1, value, start, time) end
    if status then return reply(status) end
    kept, is_new = value, time
  end

  if active ~= segment then return reply('STALE_SEGMENT', active) end
  if replication_id and replication_id ~= epoch_id then return reply('NEW_LEADER_EPOCH') end
  if active_size > 0 and (active_size + bytes > segment_bytes or now - active_since > segment_ms) then
    return reply('SEGMENT_FULL')
  end
  if not held[shard] then
    local counters = call('HMGET', shard, 'bytes', 'limit')
    held[shard], limits[shard], grown[shard] = tonumber(counters[1] or 0), tonumber(counters[2] or 0), 0
  end
  if held[shard] + grown[shard] + bytes > limits[shard] then return reply('SHARD_FULL') end

  -- Nothing above wrote; nothing below can fail.
  local new_end = end_offset + last_delta + 1
  local timestamp = log_time and now or batch_timestamp
  local id, leader_epoch = string.format('0-%.0f', new_end), epoch_number .. '.' .. epoch_id
  if not log_time and timestamp >= active_timestamp then
    call('XADD', log, id, 'b', batch, 'e', leader_epoch)
  else
    local entry = { 'XADD', log, id, 'b', batch, 'e', leader_epoch }
    if log_time then
      entry[#entry + 1], entry[#entry + 2] = 't', string.format('%.0f', now)
    end
    if timestamp < active_timestamp then
      -- the search by timestamp needs the running maximum: it is stored where the batch's own does not give it
      entry[#entry + 1], entry[#entry + 2] = 'm', string.format('%.0f', active_timestamp)
    end
    call(unpack(entry))
  end
  if active_size == 0 then active_since = now end
  call('SETRANGE', state_key, 24, write('>i8i8i8i8i8i8i8i8',
    new_end, size + bytes, math.max(max_timestamp, timestamp),
    active, base, active_size + bytes, math.max(active_timestamp, timestamp), active_since))
  grown[shard] = grown[shard] + bytes
  if field then
    if is_new then forget_idle(producers) end
    call('HSET', producers, field, write('>i2i8i4i4i8i8', epoch, now, first, last, end_offset,
      log_time and now or -1) .. kept)
  end
  return reply(0, end_offset, start, log_time and now or -1)
end

for i = 0, #ARGV - 2 do
  local shard, segment, segment_bytes, segment_ms, log_time = read('>Hi8i8i8B', calls, 4 + i * 27)
  local k = shards + i * 3
  append(KEYS[shard + 1], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], segment, segment_bytes, segment_ms, log_time == 1, ARGV[i + 2])
end
for shard, bytes in pairs(grown) do
  if bytes > 0 then call('HINCRBY', shard, 'bytes', bytes) end
end
return replies
`,
  },
  'begin-epoch': {
    sha1: '1f2590314694379d574133a6a0f3ed3623f743d2',
    lua: `#!lua flags=allow-oom
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

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1
-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end

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
`,
  },
  'create-namespace': {
    sha1: '48aa1d6d560636a7078dd1ee005587ac23bae440',
    lua: `#!lua flags=allow-oom
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
`,
  },
  'create-partition': {
    sha1: 'f33db87d0d4841e00ce68ebb803884fd8e65f2e7',
    lua: `#!lua
--[[
Makes an empty partition. All keys that a partition will ever need by name are made here and stay until it is deleted:
an append never creates state, and a script whose keys are half there fails while a Cluster moves the slot.

KEYS  1: state  2: producers  3: epochs  4: segments  5: log of segment 0
ARGV  1: 1 = leader epochs are kept, 0 = they are not
Returns  1 made; 0 it was there already
]]
local state_key, producers, epochs, segments, log = unpack(KEYS)
local epochs_kept = ARGV[1] == '1'

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1
-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end
-- An empty stream whose last id is 0-<end>: XADD can go on from there, and XREAD can wait on it.
local function make_empty_log(log, end_offset)
  redis.call('XGROUP', 'CREATE', log, 'x', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', log, 'x')
  if end_offset > 0 then redis.call('XSETID', log, string.format('0-%.0f', end_offset)) end
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

if redis.call('EXISTS', state_key) == 1 then return 0 end
local id = epochs_kept and replication_id() or '00000000'
make_empty_log(log, 0)
redis.call('ZADD', segments, 0, '0')
redis.call('ZADD', epochs, 0, '0.' .. id)
-- the empty field keeps the hash alive while no producer is known
redis.call('HSET', producers, '', '')
redis.call('SET', state_key, struct.pack(STATE, STATE_FORMAT, 0, 0, 0, 0, id, 0, 0, 0, -1, 0, 0, 0, -1, now_ms(), 0))
return 1
`,
  },
  'delete-partition': {
    sha1: 'f6f923087ab8b51b5209b0e609ba4d82a7ddf7c7',
    lua: `#!lua flags=allow-oom
--[[
Deletes a partition and all its keys.

KEYS  1: shard  2: state  3: producers  4: epochs  5: segments  6…: the logs, oldest segment to active one
ARGV  1: the oldest segment's number, 2: the active one's, as the caller knows them
Returns  nil: it is gone; else the oldest and the active segment's number, which the caller did not know
Errors  UNSUPPORTED_VERSION
]]
local shard, state_key = KEYS[1], KEYS[2]
local oldest, newest = tonumber(ARGV[1]), tonumber(ARGV[2])

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1

local state = redis.call('GET', state_key)
if not state then return false end
local format, _, _, _, _, _, _, _, size, _, active, _, _, _, _, first = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest or active ~= newest then return { first, active } end
-- Lua hands over only some thousand values at a time
for i = 2, #KEYS, 1000 do redis.call('UNLINK', unpack(KEYS, i, math.min(i + 999, #KEYS))) end
-- not -size: Redis 7 is told of -0, which it does not take for a number
redis.call('HINCRBY', shard, 'bytes', 0 - size)
return false
`,
  },
  'describe-partition': {
    sha1: 'cc3b5c14217471faaaf9da7243b09cc48f4eebd9',
    lua: `#!lua flags=no-writes
--[[
All that is known of a partition, at one moment.

KEYS  1: state  2: segments  3: epochs
ARGV  1: 1 = leader epochs are kept, 0 = they are not
Returns  state (nil: there is no such partition), segments with scores, epochs with scores, replication id ('' if not kept)
]]
local state, segments, epochs = unpack(KEYS)
local epochs_kept = ARGV[1] == '1'

-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end

return {
  redis.call('GET', state),
  redis.call('ZRANGE', segments, 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', epochs, 0, -1, 'WITHSCORES'),
  epochs_kept and replication_id() or '',
}
`,
  },
  'drop-deleted': {
    sha1: '1c4716caea4a17b11abdb4147c6d28fe6a87dad4',
    lua: `#!lua flags=allow-oom
--[[
One step of giving back what lies below the log start offset: drops the oldest segment, if all of it does, or else
trims up to so many entries from its beginning.

KEYS  1: shard  2: state  3: segments  4: log of the oldest segment
ARGV  1: the oldest segment's number, as the caller knows it  2: entries to trim at most
Returns  the oldest segment's number, and 1 if there may be more to drop
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION
]]
local shard, state_key, segments, log = unpack(KEYS)
local oldest, most = tonumber(ARGV[1]), tonumber(ARGV[2])

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, _, _, start, end_offset, size, max_timestamp, active, base, active_size, active_timestamp, since,
  first = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest then return { first, 1 } end

local function give_back(bytes)
  redis.call('SETRANGE', state_key, 32, struct.pack('>i8', size - bytes))
  -- not -bytes: Redis 7 is told of -0, which it does not take for a number
  redis.call('HINCRBY', shard, 'bytes', 0 - bytes)
end

local member, score = unpack(redis.call('ZRANGE', segments, 0, 0, 'WITHSCORES'))
local sealed_end, sealed_bytes, rest = nil, nil, nil
if oldest ~= active then
  local e, b, r = string.match(member, '^%d+ (%d+) (%d+) (.*)$')
  sealed_end, sealed_bytes, rest = tonumber(e), tonumber(b), r
  if sealed_end <= start then
    redis.call('UNLINK', log)
    redis.call('ZREM', segments, member)
    redis.call('SETRANGE', state_key, 88, struct.pack('>i8', oldest + 1))
    give_back(sealed_bytes)
    return { oldest + 1, 1 }
  end
end

local entries = redis.call('XRANGE', log, '-', string.format('0-%.0f', start), 'COUNT', most)
if #entries == 0 then return { oldest, 0 } end
local bytes = 0
for i = 1, #entries do
  local fields = entries[i][2]
  for f = 1, #fields, 2 do
    if fields[f] == 'b' then bytes = bytes + #fields[f + 1] end
  end
end
local last = tonumber(string.sub(entries[#entries][1], 3))
redis.call('XTRIM', log, 'MINID', string.format('0-%.0f', last + 1))
if sealed_end then
  redis.call('ZREM', segments, member)
  redis.call('ZADD', segments, score, string.format('%.0f %.0f %.0f %s', oldest, sealed_end, sealed_bytes - bytes, rest))
else
  redis.call('SETRANGE', state_key, 64, struct.pack('>i8', active_size - bytes))
end
give_back(bytes)
return { oldest, #entries == most and 1 or 0 }
`,
  },
  fetch: {
    sha1: 'f74d9a07b07c73c08fba5348dde3bc475fab7c86',
    lua: `#!lua flags=no-writes
--[[
Reads batches from several partitions, up to a number of bytes each and in all. Never blocks.

KEYS  two a partition: state, log of the segment to read
ARGV  1: bytes in all
      then two a partition: first offset wanted, bytes
Returns  one array a partition: state (nil: there is no such partition), next segment's number (-1: the end of this one
         was not reached), 1 = a bound ended it, and then
         a string of 28 bytes a batch, big-endian:  i64 end offset  i32 epoch  c8 replication id  i64 append time or -1
         and the batches themselves
Errors  UNSUPPORTED_VERSION: an entry has a field in upper case, which a reader must understand and this one does not
]]
local budget = tonumber(ARGV[1])
-- Entries are read in chunks that grow while batches are small: a call each would cost more than the bytes do, and a
-- chunk of large ones would hold the server for bytes that the bound then drops.
local CHUNK_ENTRIES, CHUNK_BYTES = 32, 65536

local function read(state, log, from, max)
  local bytes = math.min(max, budget)
  local metas, reply = {}, { state, -1, 0, '' }
  local count, id = 1, '(0-' .. from
  local total = 0
  while bytes > 0 do
    local entries = redis.call('XRANGE', log, id, '+', 'COUNT', count)
    for i = 1, #entries do
      local fields = entries[i][2]
      id = entries[i][1]
      if id == '1-0' then
        reply[2] = tonumber(fields[2])
        break
      end
      if bytes <= 0 then break end
      local batch, epoch, time = nil, nil, -1
      for f = 1, #fields, 2 do
        local name = fields[f]
        if name == 'b' then batch = fields[f + 1]
        elseif name == 'e' then epoch = fields[f + 1]
        elseif name == 't' then time = tonumber(fields[f + 1])
        elseif string.match(name, '^%u') then error({ err = 'UNSUPPORTED_VERSION entry ' .. id .. ' of ' .. log .. ' has the field ' .. name }) end
      end
      local dot = string.find(epoch, '.', 1, true)
      metas[#metas + 1] = struct.pack('>i8i4c8i8', tonumber(string.sub(id, 3)), tonumber(string.sub(epoch, 1, dot - 1)),
        string.sub(epoch, dot + 1), time)
      reply[#reply + 1] = batch
      bytes = bytes - #batch
      total = total + #batch
    end
    if #entries < count or reply[2] >= 0 then break end
    count = math.max(1, math.min(CHUNK_ENTRIES, math.floor(CHUNK_BYTES * #metas / total), math.ceil(bytes * #metas / total)))
    id = '(' .. id
    if bytes <= 0 then reply[3] = 1 end
  end
  if bytes <= 0 then reply[3] = 1 end
  budget = budget - total
  reply[4] = table.concat(metas)
  return reply
end

local replies = {}
for i = 0, #KEYS / 2 - 1 do
  local state = redis.call('GET', KEYS[i * 2 + 1])
  replies[i + 1] = state and read(state, KEYS[i * 2 + 2], ARGV[i * 2 + 2], tonumber(ARGV[i * 2 + 3])) or { false, -1, 0, '' }
end
return replies
`,
  },
  'find-timestamp': {
    sha1: '0b37f0e09170d6827d7db56f72dbbf17920e343f',
    lua: `#!lua flags=no-writes
--[[
Finds the first batch of a segment that holds a record with a timestamp of at least the one asked for, by halving the
range of offsets: of each entry the largest timestamp up to it is known (field m, field t, or the batch's own).

KEYS  1: log of the segment
ARGV  1: timestamp, ms  2: first offset of the range  3: offset after the range
Returns  the entry: id and fields; nil: there is none
]]
local log = KEYS[1]
local wanted, low, high = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local found = false
while low < high do
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', log, string.format('0-%.0f', middle + 1), '+', 'COUNT', 1)[1]
  if not entry or entry[1] == '1-0' then
    high = middle
  else
    local fields, batch, running = entry[2], nil, nil
    for f = 1, #fields, 2 do
      if fields[f] == 'b' then batch = fields[f + 1]
      elseif fields[f] == 'm' then running = tonumber(fields[f + 1])
      elseif fields[f] == 't' and not running then running = tonumber(fields[f + 1]) end
    end
    local last_delta, _, own = struct.unpack('>i4i8i8', batch, 24)
    local end_offset = tonumber(string.sub(entry[1], 3))
    if (running or own) >= wanted then
      found = entry
      high = math.min(middle, end_offset - last_delta - 1)
    else
      low = end_offset
    end
  end
end
return found
`,
  },
  'put-topic': {
    sha1: '3a66b5f4790de424237e7777b9d170fe7acfaced',
    lua: `#!lua flags=allow-oom
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
`,
  },
  'roll-segment': {
    sha1: 'c2d898cb6ba88bb49386d245a4bce4f904eaa15c',
    lua: `#!lua flags=allow-oom
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

-- A partition's state, one string of 96 bytes, big-endian (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8', 1
-- An empty stream whose last id is 0-<end>: XADD can go on from there, and XREAD can wait on it.
local function make_empty_log(log, end_offset)
  redis.call('XGROUP', 'CREATE', log, 'x', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', log, 'x')
  if end_offset > 0 then redis.call('XSETID', log, string.format('0-%.0f', end_offset)) end
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

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
`,
  },
  'server-rights': {
    sha1: '0ba731ef6631e64f83aa07802d3a8c921e50c0cd',
    lua: `#!lua flags=no-writes,allow-oom
--[[
What this user may do on this server, asked before it is relied upon.

KEYS  1: the namespace's cluster key, whose rights stand for all
ARGV  1: the channel of the registry's changes
Returns  1 if scripts may call INFO, else 0; the same for CLIENT ID and CLIENT UNBLOCK together; for WAITAOF; for
         subscribing to the channel; then the names of the needed commands that the user may not call
]]
local key, channel = KEYS[1], ARGV[1]

-- An unknown command is an error of the question itself: not permitted, for our purposes.
local function permitted(...)
  local known, allowed = pcall(redis.acl_check_cmd, ...)
  return known and allowed
end

local info = type(redis.pcall('INFO', 'replication')) == 'string'
local unblock = permitted('CLIENT', 'ID') and permitted('CLIENT', 'UNBLOCK', '1')
local waitaof = permitted('WAITAOF', '1', '0', '100')
local subscribe = permitted('SUBSCRIBE', channel)

-- Only the rights are asked: nothing of this is run.
local needed = {
  { 'GET', key }, { 'SET', key, '' }, { 'SETRANGE', key, '0', '' }, { 'UNLINK', key },
  { 'HGET', key, 'f' }, { 'HSET', key, 'f', '' }, { 'HINCRBY', key, 'f', '1' },
  { 'XADD', key, '*', 'f', '' }, { 'XREAD', 'STREAMS', key, '0' }, { 'XRANGE', key, '-', '+' },
  { 'ZADD', key, '0', 'm' }, { 'PUBLISH', channel, '' },
}
local reply = { info and 1 or 0, unblock and 1 or 0, waitaof and 1 or 0, subscribe and 1 or 0 }
for _, command in ipairs(needed) do
  if not permitted(unpack(command)) then reply[#reply + 1] = command[1] end
end
return reply
`,
  },
} as const
