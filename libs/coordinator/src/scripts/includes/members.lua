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

-- Marks as let go of what a member owns, but for what it may keep. Returns those partitions.
local function free_partitions(id, kept)
  local candidates, freed, changed = {}, {}, {}
  for partition in string.gmatch(call('HGET', held, id) or '', '%S+') do
    if not kept[partition] then candidates[#candidates + 1] = partition end
  end
  local records = read_fields(owners, candidates)
  for i, partition in ipairs(candidates) do
    if owner_of(records[i]) == id then
      freed[#freed + 1] = partition
      changed[#changed + 1], changed[#changed + 2] = partition, '-' .. records[i]
    end
  end
  in_chunks('HSET', owners, changed)
  return freed
end

-- Takes members away. Returns the partitions that are free thereby.
local function remove_members(ids)
  local freed = {}
  for _, id in ipairs(ids) do
    append_to(freed, free_partitions(id, {}))
    local stored = call('HGET', members, id)
    local instance = stored and record_of(stored).instanceId
    if type(instance) == 'string' then call('HDEL', group, 'instance:' .. instance) end
  end
  in_chunks('HDEL', members, ids)
  in_chunks('ZREM', sessions, ids)
  in_chunks('HDEL', targets, ids)
  in_chunks('HDEL', held, ids)
  return freed
end
