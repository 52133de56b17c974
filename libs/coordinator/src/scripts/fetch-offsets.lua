#!lua flags=no-writes
--[[
Committed offsets, and what tells whether they have expired.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
ARGV  "<topic id>:<partition>" of each that is wanted; none: all
Returns  nil: there is no such group; else the offsets, in order (of all: each after its partition); the group's fields;
         the latest deadline of a member ('': it has none); the server's clock, both in ms
Errors  UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"

local format = call('HGET', group, 'format')
if not format then return nil end
if format ~= FORMAT then return format_error(format) end
return {
  #ARGV == 0 and call('HGETALL', offsets) or read_fields(offsets, ARGV),
  call('HGETALL', group), call('ZRANGE', sessions, -2, -2, 'WITHSCORES')[2] or '', now_ms(),
}
