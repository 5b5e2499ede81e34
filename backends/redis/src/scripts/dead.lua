-- Redrives or discards dead letters.
-- ARGV: now, queue, 'redrive' or 'discard', then 2 for each: id (text), new head ('' as it is)
-- Reply: '1' or '0' for each.
local now, queue, redrive = clock(ARGV[1]), ARGV[2], ARGV[3] == 'redrive'
local out = {}

local function take(id)
  local place = call('HGET', K.di, id)
  local entry = place and call('XRANGE', K.d, place, place)[1]
  if not entry then return nil end
  call('XDEL', K.d, place)
  call('HDEL', K.di, id)
  local row, fields = row_of('1', entry[2])
  row.lane = fields.l or '1'
  row.parks = fields.g == '1'
  return row
end

-- Members of its group that fell due go before one that is redriven now.
if redrive then promote(now, 1000) end
for i = 4, #ARGV, 2 do
  local row = take(ARGV[i])
  if row and redrive then
    row.a, row.rec, row.due, row.cp = 0, 0, now, ''
    if ARGV[i + 1] ~= '' then row.h = ARGV[i + 1] end
    -- One that parked its group goes to the head of it, or waits as the first behind the head.
    if not row.parks then row.q = 0 end
    if row.parks and park(row.g, -1) then call('HDEL', K.ga, row.g) end
    admit(row, row.parks and 0 or now)
  elseif row then
    forget(row)
    drop_body(row)
    if row.parks and park(row.g, -1) then successor(row.g) end
  end
  out[#out + 1] = row and '1' or '0'
end
wake(queue, now)
return table.concat(out)
