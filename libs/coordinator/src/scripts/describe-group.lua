#!lua flags=no-writes
--[[
All that is stored of a group but its offsets, at one moment.

KEYS  1: group  2: members  3: sessions  4: targets  5: held  6: owners  7: offsets
Returns  nil: there is no such group; else the fields of group, members, targets and owners; the latest deadline of a
         member ('': it has none); the server's clock, both in ms
Errors  UNSUPPORTED_VERSION
]]
--- @include "group"
--- @include "now"

local format = call('HGET', group, 'format')
if not format then return nil end
if format ~= FORMAT then return format_error(format) end
return {
  call('HGETALL', group), call('HGETALL', members), call('HGETALL', targets), call('HGETALL', owners),
  call('ZRANGE', sessions, -2, -2, 'WITHSCORES')[2] or '', now_ms(),
}
