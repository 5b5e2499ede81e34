-- Whether a segment that was split still holds an entry.

local function less(a, b)
  local a1, a2 = string.match(a, '(%d+)%-(%d+)')
  local b1, b2 = string.match(b, '(%d+)%-(%d+)')
  a1, b1 = tonumber(a1), tonumber(b1)
  return a1 < b1 or (a1 == b1 and tonumber(a2) < tonumber(b2))
end

-- Whether an entry lies in one of the runs of a text.
local function in_runs(text, want, id)
  for lane, from, to in string.gmatch(text, '(%d),([^,]*),([^,]*),%d+,%a*') do
    if lane == want then
      local open_from, open_to = string.sub(from, 1, 1) == '(', string.sub(to, 1, 1) == '('
      local a, b = open_from and string.sub(from, 2) or from, open_to and string.sub(to, 2) or to
      if (id == a and not open_from) or (id == b and not open_to) or (less(a, id) and less(id, b)) then return true end
    end
  end
  return false
end
