// Made by `npm run generate` from the Lua files beside it: do not edit.

export const sources = {
  'advance-log-start': {
    sha1: '384b53787981caa3c48de174849712c7475a7b67',
    lua: `#!lua flags=allow-oom
--[[
Moves a partition's log start offset forward. What lies below it is dropped by drop-deleted, step by step.

KEYS  1: state
ARGV  1: the new log start offset; -1 = the log's end
Returns  the log start offset, which is never moved back
Errors  UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION, OFFSET_OUT_OF_RANGE
]]
local state_key, offset = KEYS[1], tonumber(ARGV[1])

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1

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
    sha1: '64003e63fdeda101f97d7f9e1005f459ea7576c5',
    lua: `#!lua
--[[
Appends record batches, at most one a partition. Each batch is checked whole before anything of it is written; a batch
that is refused leaves nothing behind and does not keep its neighbours from being appended.

KEYS  the shards of the batches, each once; then three a batch: state, producers, log of the segment that the caller takes
      for active
ARGV  1: bytes, big-endian, since an argument each would cost more than what it says:
         u8 1 = leader epochs are kept (INFO is permitted), 0 = they are not;  u16 the number of shards
         c8 the append session (libs/storage/src/log/append-session.ts); zeros: none
         then 27 a batch:  u16 which of the shards, from 0  i64 segment number  i64 segment.bytes  i64 segment.ms
                           u8 1 = the log gives the timestamp (LogAppendTime)
      then the batches
Returns  bytes, big-endian, a list would cost more; for each batch one of
  u8 0 appended, 1 it was there already (the first append's offsets):
       i64 base offset  i64 log start offset  i64 log append time (-1: the producer's timestamps)
  u8 2 STALE_SEGMENT: i64 the active segment's number
  u8 3 refused: u8 length, and the name
       what the caller mends:  SEGMENT_FULL (roll it), NEW_LEADER_EPOCH (begin it), SHARD_FULL (ask for room)
       what it passes on:      UNKNOWN_TOPIC_ID, UNSUPPORTED_VERSION, CORRUPT_MESSAGE, INVALID_PRODUCER_EPOCH,
                               OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER
Flags  none: refused when memory is full

What costs most of a small batch is not its bytes but each call of a command and each new value in Lua. Hence, while one
producer appends again and again in one session, the calls are three: GET, XADD, SETRANGE. And a local that a
function refers to costs something at each call of the script: the functions that are seldom called use globals.

The producers hash: field = the producer id's 8 bytes as in the batch; value, big-endian:

   0 i16 epoch   2 i64 until when it was the latest, ms (those idle for IDLE_MS are dropped, some each time that one is added)
  10 then its latest batches, up to five, as in the state

The latest producer is in the state (libs/storage/src/log/partition-state.ts); what the hash holds of it is out of date.
]]
local call, read, write, sub = redis.call, struct.unpack, struct.pack, string.sub
local calls = ARGV[1]
local epochs_kept, shards, session = read('>BHc8', calls)
local NO_SESSION = '\\0\\0\\0\\0\\0\\0\\0\\0'

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1
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

-- Asked for at most once a call.
local known_id

local function refused(name)
  return struct.pack('>BBc0', 3, #name, name)
end

-- Takes from what the shard has left: as many bytes as are wanted, where it has plenty; only what is missing, where it has
-- not; 0, where that is more than it has.
local function take_room(shard, missing, wanted)
  local PLENTY = 1048576
  local left = redis.call('HINCRBY', shard, 'left', -wanted) + wanted
  local taken = left >= PLENTY and wanted or left >= missing and missing or 0
  if taken < wanted then redis.call('HINCRBY', shard, 'left', wanted - taken) end
  return taken
end

-- Whether the batch is the producer's next one (nil), was appended already (1, offset, time), or is refused.
local function check_sequence(latest, first, last)
  local newest_last = struct.unpack('>i4', latest, 5)
  if first == (newest_last + 1) % 2147483648 then return nil end
  for at = 1, #latest, 24 do
    local f, l, base, appended = struct.unpack('>i4i4i8i8', latest, at)
    if f == first and l == last then return 1, base, appended end
  end
  -- behind the newest by less than half the sequence space: older than what is remembered
  if (newest_last - first) % 2147483648 < 1073741824 then return 'DUPLICATE_SEQUENCE_NUMBER' end
  return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
end

-- The state's producer goes into the hash: another one takes its place.
local function put_away(producers, state, now)
  local field, latest = string.sub(state, 105, 112), string.sub(state, 115, 234)
  if struct.unpack('>i8', field) < 0 then return end
  while struct.unpack('>i4', latest, #latest - 23) < 0 do latest = string.sub(latest, 1, -25) end
  redis.call('HSET', producers, field, string.sub(state, 113, 114) .. struct.pack('>i8', now) .. latest)
end

-- Not permitted by a user's rights (HRANDFIELD): all are kept.
local function forget_idle(producers, now)
  -- Longer than any retry lasts; Kafka's producer.id.expiration.ms. So many are looked at for each producer that is
  -- added: of those that are kept, few are idle then, however many come and go.
  local IDLE_MS, LOOKED_AT = 86400000, 8
  local some = redis.pcall('HRANDFIELD', producers, LOOKED_AT, 'WITHVALUES')
  for i = 1, #some, 2 do
    local value = some[i + 1]
    if #value > 10 and now - struct.unpack('>i8', value, 3) > IDLE_MS then redis.call('HDEL', producers, some[i]) end
  end
end

local function append(shard, state_key, producers, log, segment, segment_bytes, segment_ms, log_time, batch)
  local state = call('GET', state_key)
  if not state then return refused('UNKNOWN_TOPIC_ID') end
  local format, _, _, _, _, epoch_id, start, end_offset, size, max_timestamp, active, base, active_size,
    active_timestamp, active_since, oldest, room = read(STATE, state)
  if format ~= STATE_FORMAT then return refused('UNSUPPORTED_VERSION') end

  local bytes = #batch
  if bytes < 61 then return refused('CORRUPT_MESSAGE') end
  local length, magic, last_delta, timestamp, producer_id, epoch, first =
    read('>i4xxxxbxxxxxxi4xxxxxxxxi8i8i2i4', batch, 9)
  if length ~= bytes - 12 or magic ~= 2 or last_delta < 0 or producer_id >= 0 and first < 0 then
    return refused('CORRUPT_MESSAGE')
  end

  -- latest: the producer's latest batches before this one; known_epoch: nil where it is not known
  local known_epoch, latest, last
  local is_latest = producer_id < 0 or sub(state, 105, 112) == sub(batch, 44, 51)
  if producer_id >= 0 then
    last = (first + last_delta) % 2147483648
    if is_latest then
      known_epoch, latest = read('>i2', state, 113), sub(state, 115, 234)
    else
      local known = call('HGET', producers, sub(batch, 44, 51))
      if known then known_epoch, latest = read('>i2', known), sub(known, 11) end
    end
    if known_epoch == epoch then
      local status, offset, time = check_sequence(latest, first, last)
      if status == 1 then return write('>Bi8i8i8', 1, offset, start, time) end
      if status then return refused(status) end
    else
      if known_epoch and epoch < known_epoch then return refused('INVALID_PRODUCER_EPOCH') end
      if known_epoch and first ~= 0 then return refused('OUT_OF_ORDER_SEQUENCE_NUMBER') end
      latest = ''
    end
    -- this one takes the place of the oldest
    latest = #latest == 120 and sub(latest, 1, 96) or sub(latest .. string.rep('\\255', 96), 1, 96)
  end

  if active ~= segment then return write('>Bi8', 2, active) end
  -- What depends on the server's role, or changes slowly, is looked at once a session and partition.
  if session == NO_SESSION or sub(state, 235) ~= session then
    if epochs_kept == 1 then
      known_id = known_id or replication_id()
      if known_id ~= epoch_id then return refused('NEW_LEADER_EPOCH') end
    end
    if active_size > 0 and now_ms() - active_since > segment_ms then return refused('SEGMENT_FULL') end
  end
  if active_size > 0 and active_size + bytes > segment_bytes then return refused('SEGMENT_FULL') end
  if room < bytes then
    local missing = bytes - room
    room = room + take_room(shard, missing, math.max(missing, math.min(bytes * 16, 65536) - room))
    if room < bytes then return refused('SHARD_FULL') end
  end

  -- Nothing above wrote, but for the shard's counter; nothing below can fail.
  local new_end, append_time = end_offset + last_delta + 1, -1
  if log_time then
    append_time = now_ms()
    timestamp = append_time
  end
  -- %d takes half the time; where Lua's integers have 32 bits it goes no further
  local id = string.format(new_end < 2147483648 and '0-%d' or '0-%.0f', new_end)
  local leader_epoch = sub(state, 5, 16)
  if not log_time and timestamp >= active_timestamp then
    call('XADD', log, id, 'b', batch, 'e', leader_epoch)
  else
    local entry = { 'b', batch, 'e', leader_epoch }
    if log_time then entry[5], entry[6] = 't', string.format('%.0f', append_time) end
    if timestamp < active_timestamp then
      -- the search by timestamp needs the running maximum: it is stored where the batch's own does not give it
      entry[#entry + 1], entry[#entry + 2] = 'm', string.format('%.0f', active_timestamp)
    end
    call('XADD', log, id, unpack(entry))
  end
  if active_size == 0 then active_since = now_ms() end
  if not is_latest then
    put_away(producers, state, now_ms())
    if not known_epoch then forget_idle(producers, now_ms()) end
  end
  call('SETRANGE', state_key, 24, write('>i8i8i8i8i8i8i8i8i8i8', new_end, size + bytes, math.max(max_timestamp, timestamp),
    active, base, active_size + bytes, math.max(active_timestamp, timestamp), active_since, oldest,
    room - bytes)
    .. (latest and sub(batch, 44, 57) .. write('>i4i8i8', last, end_offset, append_time) .. latest or sub(state, 105, 234))
    .. session)
  return write('>Bi8i8i8', 0, end_offset, start, append_time)
end

local replies = {}
for i = 0, #ARGV - 2 do
  local shard, segment, segment_bytes, segment_ms, log_time = read('>Hi8i8i8B', calls, 12 + i * 27)
  local k = shards + i * 3
  replies[i + 1] = append(KEYS[shard + 1], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], segment, segment_bytes, segment_ms,
    log_time == 1, ARGV[i + 2])
end
return table.concat(replies)
`,
  },
  'begin-epoch': {
    sha1: 'bb0e8561110281d200892c3257f947568cbcac9a',
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

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1
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
    sha1: 'ab96c3a7b8a587d89bee4f5d9067f5e0db152ca7',
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

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1
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
-- neither a latest producer nor an append session
redis.call('SET', state_key, struct.pack(STATE, STATE_FORMAT, 0, 0, 0, 0, id, 0, 0, 0, -1, 0, 0, 0, -1, now_ms(), 0, 0)
  .. string.rep('\\255', 130) .. string.rep('\\0', 8))
return 1
`,
  },
  'delete-partition': {
    sha1: '12f7b561bacb35e62086b480eaf1006e1c11b090',
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

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1

local state = redis.call('GET', state_key)
if not state then return false end
local format, _, _, _, _, _, _, _, size, _, active, _, _, _, _, first, room = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest or active ~= newest then return { first, active } end
-- Lua hands over only some thousand values at a time
for i = 2, #KEYS, 1000 do redis.call('UNLINK', unpack(KEYS, i, math.min(i + 999, #KEYS))) end
redis.call('HINCRBY', shard, 'left', size + room)
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
    sha1: 'a2a29cafd1d2df5690fbcadd8d45ea5e71db0b86',
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

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1

local state = redis.call('GET', state_key)
if not state then return redis.error_reply('UNKNOWN_TOPIC_ID') end
local format, _, _, _, _, _, start, end_offset, size, max_timestamp, active, base, active_size, active_timestamp, since,
  first = struct.unpack(STATE, state)
if format ~= STATE_FORMAT then return redis.error_reply('UNSUPPORTED_VERSION') end
if first ~= oldest then return { first, 1 } end

local function give_back(bytes)
  redis.call('SETRANGE', state_key, 32, struct.pack('>i8', size - bytes))
  redis.call('HINCRBY', shard, 'left', bytes)
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
    sha1: '6da84c72697849614c8ce12be1038b9f644bff73',
    lua: `#!lua flags=no-writes
--[[
Reads batches from several partitions, up to a number of bytes each and in all. Never blocks.

KEYS  two a partition: state, log of the segment to read
ARGV  1: bytes in all
      then two a partition: first offset wanted, bytes
Returns  one array a partition: state (nil: there is no such partition), next segment's number (-1: the end of this one
         was not reached), 1 = a bound ended it, and then
         a string of 28 bytes a batch, big-endian:  i64 end offset  c12 leader epoch, as stored  i64 append time or -1
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
      metas[#metas + 1] = struct.pack('>i8c12i8', tonumber(string.sub(id, 3)), epoch, time)
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
  'grant-room': {
    sha1: '21b008bbf79c719b3023e0706ee1dd27d2ab1617',
    lua: `#!lua flags=allow-oom
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
    sha1: '3b5632a977314374738687bbf67e0bf4b0cdd5d6',
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

-- A partition's state, one string, big-endian: its first 104 bytes (libs/storage/src/log/partition-state.ts draws it).
local STATE, STATE_FORMAT = '>BBBBi4c8i8i8i8i8i8i8i8i8i8i8i8', 1
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
