#!lua
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
local NO_SESSION = '\0\0\0\0\0\0\0\0'

--- @include "partition-state"
--- @include "replication-id"
--- @include "now"

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
    latest = #latest == 120 and sub(latest, 1, 96) or sub(latest .. string.rep('\255', 96), 1, 96)
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
