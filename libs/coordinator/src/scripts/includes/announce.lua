-- Tells the group's members. That it is not permitted is no failure: heartbeats find out, too.
local function announce(message)
  redis.pcall('PUBLISH', ARGV[1], cjson.encode(message))
end

local function announce_free(partitions)
  if #partitions > 0 then announce({ kind = 'free', partitions = partitions }) end
end
