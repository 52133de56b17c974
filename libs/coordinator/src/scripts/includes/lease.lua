-- For so long one member alone is told to compute an assignment, ms.
local LEASE = 300

local function lease_to(member)
  call('HSET', group, 'assigning', member, 'assigningUntil', digits(now + LEASE))
end
