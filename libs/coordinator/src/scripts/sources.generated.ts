// Made by `npm run generate` from the Lua files beside it: do not edit.

export const sources = {
  commit: {
    sha1: '7bf0cfa5ab497b6b237a5d4a1387f3fef196ceda',
    lua: `#!lua flags=allow-oom
--[[
Stores offsets. A member's commit counts for a partition while nobody has been given it since.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: member id, '' = of no member: the group must be without, and is made where there is none  2: the id of a new group
      then four a commit: "<topic id>:<partition>"; "<grant> <topic>", grant 0 = the committer does not own the partition;
      the offset; what is stored after the commit time
Returns  the group's id, then for each commit 1: stored, or 0: the partition has been given to somebody since
Errors  UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
local now = now_ms()
-- Every key is made at once and never vanishes while the group lives: in a Cluster that moves a slot, a script of which some
-- keys are missing would fail with TRYAGAIN. So each holds a placeholder.
local function create_group(id)
  call('HSET', group, 'format', FORMAT, 'id', id, 'epoch', '0', 'assignment', '0', 'grants', '0', 'assigner', '',
    'leader', '', 'protocols', '', 'heartbeatAt', digits(now), 'replid', '', 'emptySince', digits(now),
    'assigning', '', 'assigningUntil', '0')
  call('ZADD', sessions, '+inf', '')
  for _, key in ipairs({ members, targets, held, owners, offsets }) do call('HSET', key, '', '') end
end
-- For what needs a group without members: those whose deadlines have all passed are taken away, as nobody is left to notice.
-- Returns an error where some are alive.
local function require_no_members()
  local last, deadline = unpack(call('ZRANGE', sessions, -2, -2, 'WITHSCORES'))
  if not last then return nil end
  if tonumber(deadline) > now then return redis.error_reply('NON_EMPTY_GROUP it has members') end
  local ids = call('ZRANGE', sessions, 0, -2)
  remove_members(ids)
  call('HINCRBY', group, 'epoch', 1)
  call('HSET', group, 'emptySince', digits(tonumber(deadline)))
end
local member, new_id = ARGV[1], ARGV[2]

local format, id = unpack(call('HMGET', group, 'format', 'id'))
if format and format ~= FORMAT then return format_error(format) end
if member ~= '' then
  if not format or not call('ZSCORE', sessions, member) then return unknown_member(member) end
else
  if not format then
    create_group(new_id)
    id = new_id
  end
  local refusal = require_no_members()
  if refusal then return refusal end
  call('HSET', group, 'committedAt', digits(now))
end

local partitions = {}
for i = 3, #ARGV, 4 do partitions[#partitions + 1] = ARGV[i] end
local records = member ~= '' and read_fields(owners, partitions)

local function may_commit(record, claim)
  local own = claim .. ' ' .. member
  if record == own or record == '-' .. own then return true end
  return string.sub(claim, 1, 2) == '0 ' and not owner_of(record)
end

local stored, reply = {}, {}
for i = 1, #partitions do
  local at = 4 * i - 1
  local allowed = not records or may_commit(records[i], ARGV[at + 1])
  reply[i] = allowed and 1 or 0
  if allowed then
    stored[#stored + 1] = partitions[i]
    stored[#stored + 1] = ARGV[at + 2] .. ' ' .. digits(now) .. ' ' .. ARGV[at + 3]
  end
end
in_chunks('HSET', offsets, stored)
return { id, reply }
`,
  },
  'delete-group': {
    sha1: '1807f507407543428780c61cce944b7800f2788b',
    lua: `#!lua flags=allow-oom
--[[
Deletes a group without members.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
Errors  GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
local now = now_ms()
-- For what needs a group without members: those whose deadlines have all passed are taken away, as nobody is left to notice.
-- Returns an error where some are alive.
local function require_no_members()
  local last, deadline = unpack(call('ZRANGE', sessions, -2, -2, 'WITHSCORES'))
  if not last then return nil end
  if tonumber(deadline) > now then return redis.error_reply('NON_EMPTY_GROUP it has members') end
  local ids = call('ZRANGE', sessions, 0, -2)
  remove_members(ids)
  call('HINCRBY', group, 'epoch', 1)
  call('HSET', group, 'emptySince', digits(tonumber(deadline)))
end

local format = call('HGET', group, 'format')
if not format then return redis.error_reply('GROUP_ID_NOT_FOUND it does not exist') end
if format ~= FORMAT then return format_error(format) end
local refusal = require_no_members()
if refusal then return refusal end
call('UNLINK', unpack(KEYS))
return 1
`,
  },
  'delete-offsets': {
    sha1: '3697162f88b074480602015980eff653447c7b3b',
    lua: `#!lua flags=allow-oom
--[[
Deletes committed offsets of a group without members.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  "<topic id>:<partition>" of each
Errors  GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
local now = now_ms()
-- For what needs a group without members: those whose deadlines have all passed are taken away, as nobody is left to notice.
-- Returns an error where some are alive.
local function require_no_members()
  local last, deadline = unpack(call('ZRANGE', sessions, -2, -2, 'WITHSCORES'))
  if not last then return nil end
  if tonumber(deadline) > now then return redis.error_reply('NON_EMPTY_GROUP it has members') end
  local ids = call('ZRANGE', sessions, 0, -2)
  remove_members(ids)
  call('HINCRBY', group, 'epoch', 1)
  call('HSET', group, 'emptySince', digits(tonumber(deadline)))
end

local format = call('HGET', group, 'format')
if not format then return redis.error_reply('GROUP_ID_NOT_FOUND it does not exist') end
if format ~= FORMAT then return format_error(format) end
local refusal = require_no_members()
if refusal then return refusal end
in_chunks('HDEL', offsets, ARGV)
return 1
`,
  },
  'describe-group': {
    sha1: '69f35cf93a2e5dee53cdb54cce968254f16d5918',
    lua: `#!lua flags=no-writes
--[[
All that is stored of a group but its offsets, at one moment.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
Returns  nil: there is no such group; else the fields of group, members, targets and owners; the latest deadline of a
         member ('': it has none); the server's clock, both in ms
Errors  UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local format = call('HGET', group, 'format')
if not format then return nil end
if format ~= FORMAT then return format_error(format) end
return {
  call('HGETALL', group), call('HGETALL', members), call('HGETALL', targets), call('HGETALL', owners),
  call('ZRANGE', sessions, -2, -2, 'WITHSCORES')[2] or '', now_ms(),
}
`,
  },
  'fetch-offsets': {
    sha1: '0b1b7dd9178032efd1a4cc2e42939818ee86104d',
    lua: `#!lua flags=no-writes
--[[
Committed offsets, and what tells whether they have expired.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  "<topic id>:<partition>" of each that is wanted; none: all
Returns  nil: there is no such group; else the offsets, in order (of all: each after its partition); the group's fields;
         the latest deadline of a member ('': it has none); the server's clock, both in ms
Errors  UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local format = call('HGET', group, 'format')
if not format then return nil end
if format ~= FORMAT then return format_error(format) end
return {
  #ARGV == 0 and call('HGETALL', offsets) or read_fields(offsets, ARGV),
  call('HGETALL', group), call('ZRANGE', sessions, -2, -2, 'WITHSCORES')[2] or '', now_ms(),
}
`,
  },
  heartbeat: {
    sha1: '861bac105ec25a21eca71719e347720d96a18edd',
    lua: `#!lua flags=allow-oom
--[[
Renews a member's session, and expires other members whose deadline has passed.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: 1 = INFO is permitted, 0 = it is not  3: member id
      4: epoch  5: assignment epoch, as the member knows them  6: session timeout, ms
      7: without a heartbeat for more than so many ms the group was stalled
Returns  epoch, assignment epoch, 1 = this member is to assign, ms until the first other member's deadline (-1: no others)
Errors  UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
-- Tells the group's members. That it is not permitted is no failure: heartbeats find out, too.
local function announce(message)
  redis.pcall('PUBLISH', ARGV[1], cjson.encode(message))
end

local function announce_free(partitions)
  if #partitions > 0 then announce({ kind = 'free', partitions = partitions }) end
end
local now = now_ms()
-- For so long one member alone is told to compute an assignment, ms.
local LEASE = 300

local function lease_to(member)
  call('HSET', group, 'assigning', member, 'assigningUntil', digits(now + LEASE))
end
-- What a heartbeat does, and a sync before and after what it does besides.
local info_permitted, member = ARGV[2] == '1', ARGV[3]
local known_epoch, known_assignment = tonumber(ARGV[4]), tonumber(ARGV[5])
local session_timeout, stall_after = tonumber(ARGV[6]), tonumber(ARGV[7])
-- Epochs that a lost history may have given out beyond the one that is stored: a number of that history must not be met again.
local EPOCH_GAP = 1000

local format, epoch, assignment, heartbeat_at, replid, assigning, assigning_until
-- Whether the epoch is to be raised, and which of the group's fields change.
local raised, changes = false, {}

local function change(field, value)
  changes[#changes + 1], changes[#changes + 2] = field, value
end

local function read_group()
  local fields = call('HMGET', group, 'format', 'epoch', 'assignment', 'heartbeatAt', 'replid', 'assigning', 'assigningUntil')
  format, epoch, assignment, heartbeat_at = fields[1], tonumber(fields[2]), tonumber(fields[3]), tonumber(fields[4])
  replid, assigning, assigning_until = fields[5], fields[6], tonumber(fields[7])
end

-- How long after a stall a member that lives may need to reach the server again, besides its heartbeat interval, ms.
local RETURN = 2000

-- All sessions begin anew.
local function forgive()
  local all, deadlines = call('HGETALL', members), {}
  for i = 1, #all, 2 do
    if all[i] ~= '' then
      deadlines[#deadlines + 1] = digits(now + tonumber(string.match(all[i + 1], '^%d+')))
      deadlines[#deadlines + 1] = all[i]
    end
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- No session ends for so long, ms.
local function respite(ms)
  local deadlines = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now + ms), 'BYSCORE')) do
    deadlines[#deadlines + 1], deadlines[#deadlines + 2] = digits(now + ms), id
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- Nobody is expired for what was the server's fault: a stall, a clock set back, a failover (of whose new primary the
-- members have not heard yet). Where one that joins breaks the silence, the others may as well be dead: one that is killed and
-- started again, again and again, must not wait for a session of its predecessors each time. Those that live are heard soon.
local function notice_stall(joins)
  local current = info_permitted and replication_id()
  local other_history = current and replid ~= '' and current ~= replid
  local stalled = now - heartbeat_at > stall_after
  if other_history or now < heartbeat_at or stalled and not joins then
    forgive()
  elseif stalled then
    respite(2 * stall_after - session_timeout + RETURN)
  end
  local lost = known_epoch > epoch or known_epoch == epoch and known_assignment > assignment
  if lost or other_history then
    epoch = math.max(epoch, known_epoch) + EPOCH_GAP
    change('epoch', digits(epoch))
  end
  if current and current ~= replid then change('replid', current) end
  change('heartbeatAt', digits(now))
end

-- The first deadline of the other members; infinite: there are none.
local first_deadline

local function read_first_deadline()
  local first = call('ZRANGE', sessions, 0, 1, 'WITHSCORES')
  first_deadline = tonumber(first[first[1] == member and 4 or 2])
end

-- Takes away the members whose deadline has passed. Returns the partitions that are free thereby.
local function expire()
  read_first_deadline()
  if first_deadline > now then return {} end
  local late = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now), 'BYSCORE')) do
    if id ~= member then late[#late + 1] = id end
  end
  raised = true
  local freed = remove_members(late)
  read_first_deadline()
  return freed
end

local function store_changes()
  if raised then
    epoch = epoch + 1
    change('epoch', digits(epoch))
  end
  call('HSET', group, unpack(changes))
end

-- The last step. Returns what every heartbeat is answered.
local function settle()
  store_changes()
  local assign = 0
  if epoch > assignment then
    local over = assigning_until <= now or assigning_until > now + LEASE
    if assigning == member or over or not call('ZSCORE', sessions, assigning) then
      assign = 1
      lease_to(member)
    end
  end
  return epoch, assignment, assign, first_deadline < math.huge and math.max(first_deadline - now, 0) or -1
end

read_group()
if not format then return unknown_member(member) end
if format ~= FORMAT then return format_error(format) end
if not call('ZSCORE', sessions, member) then return unknown_member(member) end

notice_stall(false)
call('ZADD', sessions, digits(now + session_timeout), member)
announce_free(expire())
return { settle() }
`,
  },
  install: {
    sha1: '3d53a990909a6989ff2128f1bb52328fb7188cfd',
    lua: `#!lua flags=allow-oom
--[[
Installs a target assignment, if the group is still the one that it was computed for.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: the epoch  3: assigner  4: the member that computed it
      5: the names that all members know, as JSON  6: number of topics
      then two a topic: name, "<topic id> <partitions>"; then two a member: id, target
Returns  1 installed; 0 the group has moved on, or has an assignment for that epoch
Errors  UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
-- Tells the group's members. That it is not permitted is no failure: heartbeats find out, too.
local function announce(message)
  redis.pcall('PUBLISH', ARGV[1], cjson.encode(message))
end

local function announce_free(partitions)
  if #partitions > 0 then announce({ kind = 'free', partitions = partitions }) end
end
local epoch, assigner, leader, protocols, topics = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
-- Owner records that are dropped at a time.
local MOST_DROPPED = 1000

local format, current, assignment = unpack(call('HMGET', group, 'format', 'epoch', 'assignment'))
if not format then return 0 end
if format ~= FORMAT then return format_error(format) end
if current ~= epoch or assignment == epoch then return 0 end

local function to_map(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end

local fields, wanted = { 'assignment', epoch, 'assigner', assigner, 'leader', leader, 'protocols', protocols,
  'assigning', '', 'assigningUntil', '0' }, {}
for i = 7, 6 + 2 * topics, 2 do
  local field = 'topic:' .. ARGV[i]
  wanted[field] = true
  fields[#fields + 1], fields[#fields + 2] = field, ARGV[i + 1]
end
local outdated = {}
for _, field in ipairs(call('HKEYS', group)) do
  if string.sub(field, 1, 6) == 'topic:' and not wanted[field] then outdated[#outdated + 1] = field end
end
in_chunks('HDEL', group, outdated)
in_chunks('HSET', group, fields)

local texts = {}
for i = 7 + 2 * topics, #ARGV, 2 do texts[ARGV[i]] = ARGV[i + 1] end
local before, after, told, targeted = to_map(call('HGETALL', targets)), {}, {}, {}
for _, id in ipairs(call('HKEYS', members)) do
  if id ~= '' then
    local target = texts[id] or ''
    after[#after + 1], after[#after + 2] = id, target
    if before[id] ~= target then told[#told + 1] = id end
    before[id] = nil
    for topic_id, partitions in string.gmatch(target, '[^%s:]+:([^%s:]+):(%S+)') do
      for partition in string.gmatch(partitions, '%d+') do targeted[topic_id .. ':' .. partition] = true end
    end
  end
end
before[''] = nil
local gone = {}
for id in pairs(before) do gone[#gone + 1] = id end
in_chunks('HDEL', targets, gone)
in_chunks('HSET', targets, after)

-- Records of what is nobody's any more, and to be nobody's.
local dropped = {}
local all = call('HGETALL', owners)
for i = 1, #all, 2 do
  if all[i] ~= '' and not targeted[all[i]] and not owner_of(all[i + 1]) and #dropped < MOST_DROPPED then
    dropped[#dropped + 1] = all[i]
  end
end
in_chunks('HDEL', owners, dropped)

if #told > 0 then announce({ kind = 'target', epoch = tonumber(epoch), memberIds = told }) end
return 1
`,
  },
  leave: {
    sha1: '77b3fb305f33dc1adabd5b3c874ebd7da634a919',
    lua: `#!lua flags=allow-oom
--[[
Takes a member out of its group. Another one is told to assign.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: member id
Returns  1 it left; 0 it was no member
Errors  UNSUPPORTED_VERSION
]]
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
-- Tells the group's members. That it is not permitted is no failure: heartbeats find out, too.
local function announce(message)
  redis.pcall('PUBLISH', ARGV[1], cjson.encode(message))
end

local function announce_free(partitions)
  if #partitions > 0 then announce({ kind = 'free', partitions = partitions }) end
end
local member = ARGV[2]
local now = now_ms()
-- For so long one member alone is told to compute an assignment, ms.
local LEASE = 300

local function lease_to(member)
  call('HSET', group, 'assigning', member, 'assigningUntil', digits(now + LEASE))
end

local format, assigning, assigning_until = unpack(call('HMGET', group, 'format', 'assigning', 'assigningUntil'))
if not format then return 0 end
if format ~= FORMAT then return format_error(format) end
if not call('ZSCORE', sessions, member) then return 0 end

announce_free(remove_members({ member }))
call('HINCRBY', group, 'epoch', 1)
-- Whoever is at it already; or the one that was heard of last, which is the most likely to be alive.
local busy = tonumber(assigning_until) > now and call('ZSCORE', sessions, assigning)
local successor = busy and assigning or call('ZRANGE', sessions, -2, -2)[1]
if not successor then
  call('HSET', group, 'emptySince', digits(now))
else
  lease_to(successor)
  announce({ kind = 'assign', memberId = successor })
end
return 1
`,
  },
  'put-group': {
    sha1: 'e2223ff69c16b99832ced414ca545e66fd832e00',
    lua: `#!lua flags=allow-oom
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
`,
  },
  sync: {
    sha1: 'bdf77d09652aaa0b957b47649e8c681fd08fc3da',
    lua: `#!lua flags=allow-oom
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
-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
-- The server's clock, in ms.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end
-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
-- Tells the group's members. That it is not permitted is no failure: heartbeats find out, too.
local function announce(message)
  redis.pcall('PUBLISH', ARGV[1], cjson.encode(message))
end

local function announce_free(partitions)
  if #partitions > 0 then announce({ kind = 'free', partitions = partitions }) end
end
local now = now_ms()
-- For so long one member alone is told to compute an assignment, ms.
local LEASE = 300

local function lease_to(member)
  call('HSET', group, 'assigning', member, 'assigningUntil', digits(now + LEASE))
end
-- What a heartbeat does, and a sync before and after what it does besides.
local info_permitted, member = ARGV[2] == '1', ARGV[3]
local known_epoch, known_assignment = tonumber(ARGV[4]), tonumber(ARGV[5])
local session_timeout, stall_after = tonumber(ARGV[6]), tonumber(ARGV[7])
-- Epochs that a lost history may have given out beyond the one that is stored: a number of that history must not be met again.
local EPOCH_GAP = 1000

local format, epoch, assignment, heartbeat_at, replid, assigning, assigning_until
-- Whether the epoch is to be raised, and which of the group's fields change.
local raised, changes = false, {}

local function change(field, value)
  changes[#changes + 1], changes[#changes + 2] = field, value
end

local function read_group()
  local fields = call('HMGET', group, 'format', 'epoch', 'assignment', 'heartbeatAt', 'replid', 'assigning', 'assigningUntil')
  format, epoch, assignment, heartbeat_at = fields[1], tonumber(fields[2]), tonumber(fields[3]), tonumber(fields[4])
  replid, assigning, assigning_until = fields[5], fields[6], tonumber(fields[7])
end

-- How long after a stall a member that lives may need to reach the server again, besides its heartbeat interval, ms.
local RETURN = 2000

-- All sessions begin anew.
local function forgive()
  local all, deadlines = call('HGETALL', members), {}
  for i = 1, #all, 2 do
    if all[i] ~= '' then
      deadlines[#deadlines + 1] = digits(now + tonumber(string.match(all[i + 1], '^%d+')))
      deadlines[#deadlines + 1] = all[i]
    end
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- No session ends for so long, ms.
local function respite(ms)
  local deadlines = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now + ms), 'BYSCORE')) do
    deadlines[#deadlines + 1], deadlines[#deadlines + 2] = digits(now + ms), id
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- Nobody is expired for what was the server's fault: a stall, a clock set back, a failover (of whose new primary the
-- members have not heard yet). Where one that joins breaks the silence, the others may as well be dead: one that is killed and
-- started again, again and again, must not wait for a session of its predecessors each time. Those that live are heard soon.
local function notice_stall(joins)
  local current = info_permitted and replication_id()
  local other_history = current and replid ~= '' and current ~= replid
  local stalled = now - heartbeat_at > stall_after
  if other_history or now < heartbeat_at or stalled and not joins then
    forgive()
  elseif stalled then
    respite(2 * stall_after - session_timeout + RETURN)
  end
  local lost = known_epoch > epoch or known_epoch == epoch and known_assignment > assignment
  if lost or other_history then
    epoch = math.max(epoch, known_epoch) + EPOCH_GAP
    change('epoch', digits(epoch))
  end
  if current and current ~= replid then change('replid', current) end
  change('heartbeatAt', digits(now))
end

-- The first deadline of the other members; infinite: there are none.
local first_deadline

local function read_first_deadline()
  local first = call('ZRANGE', sessions, 0, 1, 'WITHSCORES')
  first_deadline = tonumber(first[first[1] == member and 4 or 2])
end

-- Takes away the members whose deadline has passed. Returns the partitions that are free thereby.
local function expire()
  read_first_deadline()
  if first_deadline > now then return {} end
  local late = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now), 'BYSCORE')) do
    if id ~= member then late[#late + 1] = id end
  end
  raised = true
  local freed = remove_members(late)
  read_first_deadline()
  return freed
end

local function store_changes()
  if raised then
    epoch = epoch + 1
    change('epoch', digits(epoch))
  end
  call('HSET', group, unpack(changes))
end

-- The last step. Returns what every heartbeat is answered.
local function settle()
  store_changes()
  local assign = 0
  if epoch > assignment then
    local over = assigning_until <= now or assigning_until > now + LEASE
    if assigning == member or over or not call('ZSCORE', sessions, assigning) then
      assign = 1
      lease_to(member)
    end
  end
  return epoch, assignment, assign, first_deadline < math.huge and math.max(first_deadline - now, 0) or -1
end
-- Every key is made at once and never vanishes while the group lives: in a Cluster that moves a slot, a script of which some
-- keys are missing would fail with TRYAGAIN. So each holds a placeholder.
local function create_group(id)
  call('HSET', group, 'format', FORMAT, 'id', id, 'epoch', '0', 'assignment', '0', 'grants', '0', 'assigner', '',
    'leader', '', 'protocols', '', 'heartbeatAt', digits(now), 'replid', '', 'emptySince', digits(now),
    'assigning', '', 'assigningUntil', '0')
  call('ZADD', sessions, '+inf', '')
  for _, key in ipairs({ members, targets, held, owners, offsets }) do call('HSET', key, '', '') end
end
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
`,
  },
} as const
