-- Why a member is not in the group.
local function unknown_member(id)
  if call('HEXISTS', group, 'fenced:' .. id) == 1 then
    return redis.error_reply('FENCED_INSTANCE_ID another member has joined with its group instance id')
  end
  return redis.error_reply('UNKNOWN_MEMBER_ID the member never joined, has left, or its session has expired')
end

-- A stored member's record, decoded.
local function record_of(stored)
  return cjson.decode(string.match(stored, '^%d+ (.*)$'))
end

-- The member that owns a partition by this record; nil: it has been let go of, or there is none.
local function owner_of(record)
  return record and string.match(record, '^%d+ %S+ (.*)$')
end

-- Marks as let go of what these members own, of which they may keep some. Returns those partitions.
local function free_partitions(gone, kept)
  local freed, changed = {}, {}
  local all = call('HGETALL', owners)
  for i = 1, #all, 2 do
    local partition, record = all[i], all[i + 1]
    local owner = owner_of(record)
    if owner and gone[owner] and not kept[partition] then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. record
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local gone = {}
  for _, id in ipairs(ids) do
    gone[id] = true
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  return free_partitions(gone, {})
end
