-- A group's keys; libs/coordinator/src/store/group-store.ts draws what they hold.
local group, members, sessions, targets, held, owners, offsets = unpack(KEYS)
local call = redis.call
local FORMAT = '1'

-- A whole number as text: Lua itself writes large ones as 1e+14.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lua's stack takes some thousands of arguments at most, so commands on many fields are given some at a time.
local CHUNK = 1000

local function in_chunks(command, key, arguments)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function read_fields(key, fields)
  if #fields == 0 then return {} end
  if #fields <= CHUNK then return call('HMGET', key, unpack(fields)) end
  local values = {}
  for from = 1, #fields, CHUNK do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #some do values[from + i - 1] = some[i] end
  end
  return values
end

local function append_to(list, items)
  for i = 1, #items do list[#list + 1] = items[i] end
end

-- The error that a stored format calls for; nil: it is this release's.
local function format_error(format)
  if format == FORMAT then return nil end
  return redis.error_reply('UNSUPPORTED_VERSION the group is stored in format ' .. format ..
    ', this release supports ' .. FORMAT .. ': update it')
end
