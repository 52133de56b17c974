-- Every key is made at once and never vanishes while the group lives: in a Cluster that moves a slot, a script of which some
-- keys are missing would fail with TRYAGAIN. So each holds a placeholder.
local function create_group(id)
  call('HSET', group, 'format', FORMAT, 'id', id, 'epoch', '0', 'assignment', '0', 'grants', '0', 'assigner', '',
    'leader', '', 'protocols', '', 'heartbeatAt', digits(now), 'replid', '', 'emptySince', digits(now),
    'assigning', '', 'assigningUntil', '0')
  call('ZADD', sessions, '+inf', '')
  for _, key in ipairs({ members, targets, held, owners, offsets }) do call('HSET', key, '', '') end
end
