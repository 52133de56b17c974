-- The first 8 digits of the id of the history that this server is writing: it changes with a restart and a failover.
local function replication_id()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x%x%x%x%x%x%x%x)')
end
