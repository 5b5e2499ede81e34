-- The time, and the layout that this release knows.

-- The time in ms: the injected one, or the server's.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function ms(number) return fmt('%.0f', number) end

-- The refusal of what a newer longshore laid out, by the version of a partition; nothing otherwise.
local function newer_layout(version)
  if version and version ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. version) end
end
