#!lua
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

--- @include "partition-state"
--- @include "replication-id"
--- @include "now"

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
