-- Moves the ends of leases.  ARGV: now, lease ms, then segment, lane, entry for each receipt.
-- Reply: '1' or '0' for each. One row for a whole receive: extending one extends all of it.
local now, lease = clock(ARGV[1]), tonumber(ARGV[2])
local out, done = {}, {}

local function extend(segment, text)
  if call('ZADD', K.l, 'XX', 'CH', ms(now + lease), segment) == 1 or call('ZSCORE', K.l, segment) then return end
  -- It had ended and nobody took it over: its runs are its own again.
  for _, run in ipairs(runs_of(text)) do call('ZREM', K.e, returned(run, run.base + 1, segment)) end
  call('ZADD', K.l, ms(now + lease), segment)
end

for i = 3, #ARGV, 3 do
  local segment, lane, entry = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local text, found = call('HGET', K.h, segment), false
  if text then
    for _, run in ipairs(runs_of(text)) do
      found = found or (run.lane == lane and in_run(run, entry))
    end
  end
  found = found and #call('XRANGE', S[lane], entry, entry) == 1
  if found and not done[segment] then
    extend(segment, text)
    done[segment] = true
  end
  out[#out + 1] = found and '1' or '0'
end
return table.concat(out)
