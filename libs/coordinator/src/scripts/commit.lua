#!lua flags=allow-oom
--[[
Stores offsets. A member's commit counts for a partition while nobody has been given it since.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: member id, '' = of no member: the group must be without, and is made where there is none  2: the id of a new group
      then four a commit: "<topic id>:<partition>"; "<grant> <topic>", grant 0 = the committer does not own the partition;
      the offset; what is stored after the commit time
Returns  the group's id, then for each commit 1: stored, or 0: the partition has been given to somebody since
Errors  UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"
--- @include "members"
local now = now_ms()
--- @include "create-group"
--- @include "without-members"
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
