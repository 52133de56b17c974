#!lua flags=allow-oom
--[[
Takes a member out of its group. Another one is told to assign.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  1: the channel of the group's messages  2: member id
Returns  1 it left; 0 it was no member
Errors  UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"
--- @include "members"
--- @include "announce"
local member = ARGV[2]
local now = now_ms()
--- @include "lease"

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
