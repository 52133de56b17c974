-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  local _, before = string.find(info, 'master_replid:', 1, true)
  return before and string.sub(info, before + 1, before + 8)
end
