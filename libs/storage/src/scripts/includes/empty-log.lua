-- An empty stream whose last id is 0-<end>: XADD can go on from there, and XREAD can wait on it.
local function make_empty_log(log, end_offset)
  redis.call('XGROUP', 'CREATE', log, 'x', '0', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', log, 'x')
  if end_offset > 0 then redis.call('XSETID', log, string.format('0-%.0f', end_offset)) end
end
