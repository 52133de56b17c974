#!lua flags=allow-oom
--[[
Renews a member's session, and expires other members whose deadline has passed.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: 1 = INFO is permitted, 0 = it is not  3: member id
      4: epoch  5: assignment epoch, as the member knows them  6: session timeout, ms
      7: without a heartbeat for more than so many ms the group was stalled
Returns  epoch, assignment epoch, 1 = this member is to assign, ms until the first other member's deadline (-1: no others)
Errors  UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"
--- @include "replication-id"
--- @include "members"
--- @include "announce"
local now = now_ms()
--- @include "lease"
--- @include "beat"

read_group()
if not format then return unknown_member(member) end
if format ~= FORMAT then return format_error(format) end
if not call('ZSCORE', sessions, member) then return unknown_member(member) end

notice_stall(false)
call('ZADD', sessions, digits(now + session_timeout), member)
announce_free(expire())
return { settle() }
