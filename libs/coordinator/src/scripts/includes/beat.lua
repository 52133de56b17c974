-- What a heartbeat does, and a sync before and after what it does besides.
local info_permitted, member = ARGV[2] == '1', ARGV[3]
local known_epoch, known_assignment = tonumber(ARGV[4]), tonumber(ARGV[5])
local session_timeout, stall_after = tonumber(ARGV[6]), tonumber(ARGV[7])
-- Epochs that a lost history may have given out beyond the one that is stored: a number of that history must not be met again.
local EPOCH_GAP = 1000

local format, epoch, assignment, heartbeat_at, replid, assigning, assigning_until
-- Whether the epoch is to be raised, and which of the group's fields change.
local raised, changes = false, {}

local function change(field, value)
  changes[#changes + 1], changes[#changes + 2] = field, value
end

local function read_group()
  local fields = call('HMGET', group, 'format', 'epoch', 'assignment', 'heartbeatAt', 'replid', 'assigning', 'assigningUntil')
  format, epoch, assignment, heartbeat_at = fields[1], tonumber(fields[2]), tonumber(fields[3]), tonumber(fields[4])
  replid, assigning, assigning_until = fields[5], fields[6], tonumber(fields[7])
end

-- How long after a stall a member that lives may need to reach the server again, besides its heartbeat interval, ms.
local RETURN = 2000

-- All sessions begin anew.
local function forgive()
  local all, deadlines = call('HGETALL', members), {}
  for i = 1, #all, 2 do
    if all[i] ~= '' then
      deadlines[#deadlines + 1] = digits(now + tonumber(string.match(all[i + 1], '^%d+')))
      deadlines[#deadlines + 1] = all[i]
    end
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- No session ends for so long, ms.
local function respite(ms)
  local deadlines = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now + ms), 'BYSCORE')) do
    deadlines[#deadlines + 1], deadlines[#deadlines + 2] = digits(now + ms), id
  end
  in_chunks('ZADD', sessions, deadlines)
end

-- Nobody is expired for what was the server's fault: a stall, a clock set back, a failover (of whose new primary the
-- members have not heard yet). Where one that joins breaks the silence, the others may as well be dead: one that is killed and
-- started again, again and again, must not wait for a session of its predecessors each time. Those that live are heard soon.
local function notice_stall(joins)
  local current = info_permitted and replication_id()
  local other_history = current and replid ~= '' and current ~= replid
  local stalled = now - heartbeat_at > stall_after
  if other_history or now < heartbeat_at or stalled and not joins then
    forgive()
  elseif stalled then
    respite(2 * stall_after - session_timeout + RETURN)
  end
  local lost = known_epoch > epoch or known_epoch == epoch and known_assignment > assignment
  if lost or other_history then
    epoch = math.max(epoch, known_epoch) + EPOCH_GAP
    change('epoch', digits(epoch))
  end
  if current and current ~= replid then change('replid', current) end
  change('heartbeatAt', digits(now))
end

-- The first deadline of the other members; infinite: there are none.
local first_deadline

local function read_first_deadline()
  local first = call('ZRANGE', sessions, 0, 1, 'WITHSCORES')
  first_deadline = tonumber(first[first[1] == member and 4 or 2])
end

-- Takes away the members whose deadline has passed. Returns the partitions that are free thereby.
local function expire()
  read_first_deadline()
  if first_deadline > now then return {} end
  local late = {}
  for _, id in ipairs(call('ZRANGE', sessions, '-inf', digits(now), 'BYSCORE')) do
    if id ~= member then late[#late + 1] = id end
  end
  raised = true
  local freed = remove_members(late)
  read_first_deadline()
  return freed
end

local function store_changes()
  if raised then
    epoch = epoch + 1
    change('epoch', digits(epoch))
  end
  call('HSET', group, unpack(changes))
end

-- The last step. Returns what every heartbeat is answered.
local function settle()
  store_changes()
  local assign = 0
  if epoch > assignment then
    local over = assigning_until <= now or assigning_until > now + LEASE
    if assigning == member or over or not call('ZSCORE', sessions, assigning) then
      assign = 1
      lease_to(member)
    end
  end
  return epoch, assignment, assign, first_deadline < math.huge and math.max(first_deadline - now, 0) or -1
end
