#!lua flags=allow-oom
--[[
Deletes committed offsets of a group without members.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  "<topic id>:<partition>" of each
Errors  GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"
--- @include "members"
local now = now_ms()
--- @include "without-members"

local format = call('HGET', group, 'format')
if not format then return redis.error_reply('GROUP_ID_NOT_FOUND it does not exist') end
if format ~= FORMAT then return format_error(format) end
local refusal = require_no_members()
if refusal then return refusal end
in_chunks('HDEL', offsets, ARGV)
return 1
