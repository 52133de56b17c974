#!lua flags=allow-oom
--[[
Installs a target assignment, if the group is still the one that it was computed for.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: the epoch  3: assigner  4: the member that computed it
      5: the names that all members know, as JSON  6: number of topics
      then two a topic: name, "<topic id> <partitions>"; then two a member: id, target
Returns  1 installed; 0 the group has moved on, or has an assignment for that epoch
Errors  UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "members"
--- @include "announce"
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
