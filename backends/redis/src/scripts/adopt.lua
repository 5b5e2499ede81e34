-- Takes over messages of another queue or store; idempotent by id, which stays tracked.
-- ARGV: now, queue, then 17 for each: id (16 bytes), id (text), lane, attempts, recorded through,
--   due, flags, group, dedup key, dedup recognised until, history, checkpoint, head, body,
--   reason ('' alive), error, died at ('p' before it: parks its group)
-- Reply: '1' stored, '0' known for each.
local now, queue = clock(ARGV[1]), ARGV[2]
local out = {}
if not call('HGET', K.c, 'v') then call('HSET', K.c, 'v', '1') end

local function adopt(i)
  local id, text = ARGV[i], ARGV[i + 1]
  local till = call('ZSCORE', K.k, 'i' .. id)
  if (till and tonumber(till) > now) or call('HEXISTS', K.di, text) == 1 then
    if string.find(ARGV[i + 6], 'x', 1, true) then call('UNLINK', K.p .. ARGV[i + 13]) end
    return '0'
  end
  call('ZADD', K.k, INF, 'i' .. id)
  local row = {lane = ARGV[i + 2], a = tonumber(ARGV[i + 3]), rec = tonumber(ARGV[i + 4]), due = tonumber(ARGV[i + 5]),
               flags = ARGV[i + 6], g = ARGV[i + 7], k = ARGV[i + 8], hist = ARGV[i + 10], cp = ARGV[i + 11],
               i = id, h = ARGV[i + 12], b = ARGV[i + 13]}
  if row.k ~= '' and tonumber(ARGV[i + 9]) > now then
    if call('ZADD', K.k, 'NX', ARGV[i + 9], 'd' .. row.k) == 1 then call('HSET', K.kh, row.k, id) end
  end
  if has(row, 'x') then call('PERSIST', K.p .. row.b) end
  if ARGV[i + 14] ~= '' then
    local parks = string.sub(ARGV[i + 16], 1, 1) == 'p' and row.g ~= ''
    dead_letter(row, ARGV[i + 14], ARGV[i + 15], parks, (string.gsub(ARGV[i + 16], 'p', '')))
  elseif row.due > now then
    -- One in back-off was the head of its group and stays it.
    row.adm = row.g ~= '' and row.a > 0 and call('HSETNX', K.ga, row.g, '1:0') == 1
    delay(row, row.due)
  else
    admit(row, row.due)
  end
  return '1'
end

promote(now, 1000)
for i = 3, #ARGV, 17 do out[#out + 1] = adopt(i) end
wake(queue, now)
return table.concat(out)
