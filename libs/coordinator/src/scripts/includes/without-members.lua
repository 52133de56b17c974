-- For what needs a group without members: those whose deadlines have all passed are taken away, as nobody is left to notice.
-- Returns an error where some are alive.
local function require_no_members()
  local last, deadline = unpack(call('ZRANGE', sessions, -2, -2, 'WITHSCORES'))
  if not last then return nil end
  if tonumber(deadline) > now then return redis.error_reply('NON_EMPTY_GROUP it has members') end
  local ids = call('ZRANGE', sessions, 0, -2)
  remove_members(ids)
  call('HINCRBY', group, 'epoch', 1)
  call('HSET', group, 'emptySince', digits(tonumber(deadline)))
end
