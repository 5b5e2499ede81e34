-- What a message leaves when it ends: its large body, its id, its history, a dead letter.

local function drop_body(row)
  if has(row, 'x') then call('UNLINK', K.p .. row.b) end
end

local function forget(row)
  if has(row, 't') then call('ZREM', K.k, 'i' .. row.i) end
  if row.k ~= '' and call('HGET', K.kh, row.k) == row.i then
    call('ZREM', K.k, 'd' .. row.k)
    call('HDEL', K.kh, row.k)
  end
end

local function append_record(hist, record)
  if record == '' then return hist end
  if hist == '' then return record end
  local lines = {}
  for line in string.gmatch(hist, '[^\n]+') do lines[#lines + 1] = line end
  if #lines > 15 then table.remove(lines, 2) end
  lines[#lines + 1] = record
  return table.concat(lines, '\n')
end

-- Adds a dead letter.
local function dead_letter(row, reason, error, parks, at)
  local id = id_text(row.i)
  local entry = call('XADD', K.d, '*', 'id', id, 'w', reason, 'e', error, 't', at, 'g', parks and '1' or '0',
    'l', row.lane, 'i', row.i, 'm', write_m(row), 'r', row.hist, 'k', row.cp, 'h', row.h, 'b', row.b)
  call('HSET', K.di, id, entry)
  if parks then park(row.g, 1) end
end
