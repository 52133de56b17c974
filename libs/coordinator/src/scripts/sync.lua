#!lua flags=allow-oom
--[[
A heartbeat that also joins, tells changes, lets go of partitions and takes those that are free. A group that does not exist
is made for whoever joins it.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1 to 7: as a heartbeat's
      8: what the member tells of itself, as JSON; '' = it is as it was
      9: 1 = what has changed there asks for another assignment; a join always does
      10: the id of a new group  11: for how long committed offsets of no more use are kept, ms
      then three lists of pairs, each after the number of its pairs:
        the subscribed topics: name, "<topic id> <partitions>"
        what the member believes to own: "<topic id>:<partition>", "<grant> <topic>"
        what it lets go of: the same
Returns  as a heartbeat, four values; leader; assigner; the member's target; the partitions of those that it believed to own
         that it does own; three for each partition that is granted now: partition, grant, committed offset (nil: none); the
         partitions that others have not let go of; the group's id
Errors  as a heartbeat; INCONSISTENT_GROUP_PROTOCOL
]]
--- @include "group"
--- @include "now"
--- @include "replication-id"
--- @include "members"
--- @include "announce"
local now = now_ms()
--- @include "lease"
--- @include "beat"
--- @include "create-group"
local record, record_raises, new_id, retention = ARGV[8], ARGV[9] == '1', ARGV[10], tonumber(ARGV[11])
-- The trace of a member that was replaced is kept for so long, ms; and of so many at most.
local FENCED_KEPT, MOST_FENCED = 86400000, 1000

local at = 12
local function take_pairs()
  local first, last = at + 1, at + 2 * tonumber(ARGV[at])
  at = last + 1
  local keys, values = {}, {}
  for i = first, last, 2 do
    keys[#keys + 1], values[#values + 1] = ARGV[i], ARGV[i + 1]
  end
  return keys, values
end
local topics, facts = take_pairs()
local believed, believed_claims = take_pairs()
local released, released_claims = take_pairs()

local freed = {}

-- Drops the offsets that have been of no use since their commit, or since the given time if that is later, for too long.
-- They come each after its partition.
local function drop_expired(rows, since)
  local expired = {}
  for i = 1, #rows, 2 do
    local committed_at = tonumber(string.match(rows[i + 1], '^%-?%d+ (%d+)'))
    if committed_at and math.max(committed_at, since) + retention <= now then expired[#expired + 1] = rows[i] end
  end
  in_chunks('HDEL', offsets, expired)
end

local function names_of(own)
  local names = {}
  for _, assigner in ipairs(own.assigners) do names[#names + 1] = assigner.name end
  return names
end

-- Of the names that all others know, those that this member knows, too; where there are no others, its own.
local function shared_names(own, others)
  local names = names_of(own)
  if others == 0 then return names end
  local known, shared = {}, {}
  for _, name in ipairs(names) do known[name] = true end
  for _, name in ipairs(cjson.decode(call('HGET', group, 'protocols'))) do
    if known[name] then shared[#shared + 1] = name end
  end
  return shared
end

local function asks_for_the_same(own, other)
  return table.concat(own.topics, ' ') == table.concat(other.topics, ' ')
    and cjson.encode(names_of(own)) == cjson.encode(names_of(other))
end

local function forget_fenced()
  local all, times, kept_since = call('HGETALL', group), {}, now - FENCED_KEPT
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 7) == 'fenced:' then times[#times + 1] = tonumber(all[i + 1]) end
  end
  -- Half of them, so that this is not done at every restart of a member that restarts all the time.
  if #times > MOST_FENCED then
    table.sort(times)
    kept_since = math.max(kept_since, times[#times - MOST_FENCED / 2])
  end
  local old = {}
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 7) == 'fenced:' and tonumber(all[i + 1]) < kept_since then old[#old + 1] = all[i] end
  end
  in_chunks('HDEL', group, old)
end

-- A static member is back under another member id: what was the old one's is the new one's.
local function take_over(previous, own)
  local stored, target = call('HGET', members, previous), call('HGET', targets, previous)
  if epoch > assignment or not asks_for_the_same(own, record_of(stored)) then raised = true end
  append_to(freed, remove_members({ previous }))
  call('HSET', targets, member, target or '')
  forget_fenced()
  call('HSET', group, 'fenced:' .. previous, digits(now))
  if call('HGET', group, 'leader') == previous then change('leader', member) end
end

-- Takes the member's record in. Returns whether it is new in the group, or an error.
local function take_record(known)
  local stored = ARGV[6] .. ' ' .. record
  local before = known and call('HGET', members, member)
  if before == stored then return false end
  local own = cjson.decode(record)
  local instance = type(own.instanceId) == 'string' and 'instance:' .. own.instanceId
  local previous = not known and instance and call('HGET', group, instance)

  local count = call('ZCARD', sessions) - 1
  local names = shared_names(own, count - ((known or previous) and 1 or 0))
  if #names == 0 then
    return nil, redis.error_reply('INCONSISTENT_GROUP_PROTOCOL it shares no assigner with all members of the group')
  end
  change('protocols', cjson.encode(names))
  if known then
    raised = raised or record_raises
  elseif previous then
    take_over(previous, own)
  else
    raised = true
  end
  call('HSET', members, member, stored)
  if instance and not known then call('HSET', group, instance, member) end
  return not known
end

-- Offsets of topics that nobody subscribes are kept for a while after the commit only. A group that lives on sees topics come
-- and go, and is looked through whenever one comes: neither that one's former offsets nor those of deleted ones stay.
local function drop_expired_of_others()
  local all, subscribed, rows = call('HGETALL', group), {}, {}
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 6) == 'topic:' then subscribed[string.match(all[i + 1], '^%S+')] = true end
  end
  all = call('HGETALL', offsets)
  for i = 1, #all, 2 do
    if not subscribed[string.match(all[i], '^(.*):')] then rows[#rows + 1], rows[#rows + 2] = all[i], all[i + 1] end
  end
  drop_expired(rows, 0)
end

local function take_facts(was_empty)
  local fields, changed = {}, {}
  for i = 1, #topics do fields[i] = 'topic:' .. topics[i] end
  local before, is_new = read_fields(group, fields), false
  for i = 1, #topics do
    local old_id, old_count = string.match(before[i] or '', '^(%S+) (%d+)$')
    local id, count = string.match(facts[i], '^(%S+) (%d+)$')
    if id ~= old_id or tonumber(count) > tonumber(old_count) then
      changed[#changed + 1], changed[#changed + 2] = fields[i], facts[i]
      is_new = is_new or id ~= old_id
    end
  end
  if is_new and not was_empty then drop_expired_of_others() end
  if #changed > 0 then raised = true end
  in_chunks('HSET', group, changed)
end

-- What the member still owns: partition → true. A grant that the group has not heard of was given by a history that is lost:
-- the highest one counts.
local function confirm_owned(grants)
  local records, kept, adopted = read_fields(owners, believed), {}, {}
  for i = 1, #believed do
    local own, found = believed_claims[i] .. ' ' .. member, records[i]
    local grant = tonumber(string.match(own, '^%d+'))
    if found == own then
      kept[believed[i]] = true
    elseif not found or tonumber(string.match(found, '^%-?(%d+)')) < grant then
      local owner = owner_of(found)
      if owner and owner ~= member then raised = true end
      adopted[#adopted + 1], adopted[#adopted + 2] = believed[i], own
      kept[believed[i]] = true
      grants = math.max(grants, grant)
    end
  end
  in_chunks('HSET', owners, adopted)
  return kept, grants
end

local function release(kept)
  local records, changed = read_fields(owners, released), {}
  for i = 1, #released do
    local own = released_claims[i] .. ' ' .. member
    if records[i] == own then
      changed[#changed + 1], changed[#changed + 2] = released[i], '-' .. own
      freed[#freed + 1] = released[i]
      kept[released[i]] = nil
    end
  end
  in_chunks('HSET', owners, changed)
end

-- Gives the member what is free of its target.
local function claim(target, kept, grants)
  local wanted, names = {}, {}
  for topic, topic_id, numbers in string.gmatch(target, '([^%s:]+):([^%s:]+):(%S+)') do
    for number in string.gmatch(numbers, '%d+') do
      local partition = topic_id .. ':' .. number
      if not kept[partition] then
        wanted[#wanted + 1], names[#names + 1] = partition, topic
      end
    end
  end
  local records, given, changed, waiting, alive = read_fields(owners, wanted), {}, {}, {}, { [member] = false }
  for i = 1, #wanted do
    local owner = owner_of(records[i])
    if owner and alive[owner] == nil then alive[owner] = call('ZSCORE', sessions, owner) and true or false end
    if owner and alive[owner] then
      waiting[#waiting + 1] = wanted[i]
    else
      grants = grants + 1
      given[#given + 1] = wanted[i]
      changed[#changed + 1], changed[#changed + 2] = wanted[i], digits(grants) .. ' ' .. names[i] .. ' ' .. member
    end
  end
  in_chunks('HSET', owners, changed)
  local committed, granted = read_fields(offsets, given), {}
  for i = 1, #given do
    local n = #granted
    granted[n + 1], granted[n + 2], granted[n + 3] = given[i], grants - #given + i, committed[i]
  end
  return granted, waiting, grants
end

read_group()
if format and format ~= FORMAT then return format_error(format) end
local known = format and call('ZSCORE', sessions, member)
if not known then
  if record == '' or call('HEXISTS', group, 'fenced:' .. member) == 1 then return unknown_member(member) end
  if not format then
    create_group(new_id)
    read_group()
  end
end

notice_stall(not known)
if known then call('ZADD', sessions, digits(now + session_timeout), member) end
append_to(freed, expire())

local empty_since, joined, refusal = call('HGET', group, 'emptySince'), false, nil
if record ~= '' then
  joined, refusal = take_record(known)
  if refusal then
    store_changes()
    announce_free(freed)
    return refusal
  end
end
if joined then
  call('ZADD', sessions, digits(now + session_timeout), member)
  if empty_since ~= '' then
    drop_expired(call('HGETALL', offsets), tonumber(empty_since))
    change('emptySince', '')
  end
  read_first_deadline()
end
take_facts(empty_since ~= '')

local granted_before = tonumber(call('HGET', group, 'grants'))
local kept, grants = {}, granted_before
-- Whoever joins owns nothing, whatever it was before.
if not joined then kept, grants = confirm_owned(grants) end
release(kept)
local target = call('HGET', targets, member) or ''
local granted, waiting
granted, waiting, grants = claim(target, kept, grants)

local owned, held_now, given_now = {}, {}, {}
for _, partition in ipairs(believed) do
  if kept[partition] then owned[#owned + 1] = partition end
end
append_to(held_now, owned)
for i = 1, #granted, 3 do
  given_now[granted[i]], kept[granted[i]] = true, true
  held_now[#held_now + 1] = granted[i]
end
-- What the member was given in an answer that it never got must not be its for ever.
append_to(freed, free_partitions(member, kept))
local held_text = table.concat(held_now, ' ')
if held_text ~= call('HGET', held, member) then call('HSET', held, member, held_text) end

if grants ~= granted_before then change('grants', digits(grants)) end
local free = {}
for _, partition in ipairs(freed) do
  if not given_now[partition] then free[#free + 1] = partition end
end
announce_free(free)
local result_epoch, result_assignment, assign, next_expiry = settle()
local leader, assigner, id = unpack(call('HMGET', group, 'leader', 'assigner', 'id'))
return { result_epoch, result_assignment, assign, next_expiry, leader, assigner, target, owned, granted, waiting, id }
