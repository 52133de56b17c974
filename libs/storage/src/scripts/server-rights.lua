#!lua flags=no-writes,allow-oom
--[[
What this user may do on this server, asked before it is relied upon.

KEYS  1: the namespace's cluster key, whose rights stand for all
ARGV  1: the channel of the registry's changes
Returns  1 if scripts may call INFO, else 0; the same for CLIENT ID and CLIENT UNBLOCK together; for WAITAOF; for
         subscribing to the channel; then the names of the needed commands that the user may not call
]]
local key, channel = KEYS[1], ARGV[1]

-- An unknown command is an error of the question itself: not permitted, for our purposes.
local function permitted(...)
  local known, allowed = pcall(redis.acl_check_cmd, ...)
  return known and allowed
end

local info = type(redis.pcall('INFO', 'replication')) == 'string'
local unblock = permitted('CLIENT', 'ID') and permitted('CLIENT', 'UNBLOCK', '1')
local waitaof = permitted('WAITAOF', '1', '0', '100')
local subscribe = permitted('SUBSCRIBE', channel)

-- Only the rights are asked: nothing of this is run.
local needed = {
  { 'GET', key }, { 'SET', key, '' }, { 'SETRANGE', key, '0', '' }, { 'UNLINK', key },
  { 'HGET', key, 'f' }, { 'HSET', key, 'f', '' }, { 'HINCRBY', key, 'f', '1' },
  { 'XADD', key, '*', 'f', '' }, { 'XREAD', 'STREAMS', key, '0' }, { 'XRANGE', key, '-', '+' },
  { 'ZADD', key, '0', 'm' }, { 'PUBLISH', channel, '' },
}
local reply = { info and 1 or 0, unblock and 1 or 0, waitaof and 1 or 0, subscribe and 1 or 0 }
for _, command in ipairs(needed) do
  if not permitted(unpack(command)) then reply[#reply + 1] = command[1] end
end
return reply
