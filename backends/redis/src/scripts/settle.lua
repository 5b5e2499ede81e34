-- Ends deliveries; fates may be mixed.
-- ARGV: now, queue, id window ms, then 10 for each: fate, segment, lane, entry, due, record,
--   attempt, checkpoint ('=' keep, '!...' set), reason, error
--   fates: a ack, r retry, l release, d dead-letter, p dead-letter and park the group,
--          u dead-letter uncharged (expired, damaged), x discard (expired), n put back (newer)
-- Reply: '1' (applied) or '0' (lease lost) for each.
local now, queue, window = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local out, gone = {}, 0

-- The segment's runs and the one that holds the entry; nothing where the receipt is stale.
local function held(segment, lane, entry)
  local text = call('HGET', K.h, segment)
  if not text then return nil end
  local runs = runs_of(text)
  for i, run in ipairs(runs) do
    if run.lane == lane and in_run(run, entry) then return runs, i end
  end
end

local function release_here(segment, runs, index, entry, checkpoint)
  local run = runs[index]
  local flags = run.flags
  if checkpoint ~= '=' then
    flags = 'o'
    call('HSET', K.o, run.lane .. entry, string.sub(checkpoint, 2))
  end
  hole(segment, runs, index, entry)
  local one = {lane = run.lane, from = entry, to = entry, base = run.base, flags = flags}
  call('ZADD', K.e, 0, returned(one, run.base, ''))
  gone, ready = gone + 1, ready + 1
  return '1'
end

local function take_out(fate, segment, runs, index, entry)
  local run = runs[index]
  call('XDEL', S[run.lane], entry)
  if run.flags ~= '' then call('HDEL', K.o, run.lane .. entry) end
  -- After an ack the segment goes on to speak for the entry, so that a repeated ack is known as
  -- one. After anything else the message may be back: the receipt must be stale.
  if fate == 'a' then count_down(segment, 1) else hole(segment, runs, index, entry) end
  gone = gone + 1
end

local function ack(row)
  if has(row, 't') then call('ZADD', K.k, ms(now + window), 'i' .. row.i) end
  drop_body(row)
  successor(row.g)
end

local function come_back(row, fate, due)
  row.adm = row.g ~= ''
  if due > now then
    if fate == 'n' and not has(row, 'n') then row.flags = row.flags .. 'n' end
    local key = delay(row, due)
    if fate == 'n' then call('ZADD', K.nv, ms(due), key) end
  else
    row.due = due
    add_ready(row)
  end
end

local function settle(i)
  local fate, segment, lane, entry = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local runs, index = held(segment, lane, entry)
  if not runs then return '0' end
  local found = call('XRANGE', S[lane], entry, entry)[1]
  -- Gone while its segment is held: the same holder acked it.
  if not found then return fate == 'a' and '1' or '0' end
  local checkpoint = ARGV[i + 7]
  if fate == 'l' and ARGV[i + 4] == '' then return release_here(segment, runs, index, entry, checkpoint) end
  local run, row = runs[index], row_of(lane, found[2])
  if run.flags ~= '' then row.cp = call('HGET', K.o, lane .. entry) or row.cp end
  take_out(fate, segment, runs, index, entry)
  if fate == 'a' or fate == 'x' then ack(row) return '1' end
  local attempt = tonumber(ARGV[i + 6])
  local uncharged = fate == 'l' or fate == 'u' or fate == 'n'
  row.a = uncharged and attempt - 1 or attempt
  if ARGV[i + 5] ~= '' then
    row.hist, row.rec = append_record(row.hist, ARGV[i + 5]), attempt
  end
  if checkpoint ~= '=' then row.cp = string.sub(checkpoint, 2) end
  if fate == 'd' or fate == 'p' or fate == 'u' then
    local parks = fate == 'p' and row.g ~= ''
    dead_letter(row, ARGV[i + 8], ARGV[i + 9], parks, ms(now))
    successor(row.g)
  else
    come_back(row, fate, resolve(ARGV[i + 4], now))
  end
  return '1'
end

-- A head that ends makes room for the first of its group that fell due.
promote(now, 1000)
for i = 4, #ARGV, 10 do out[#out + 1] = settle(i) end
if gone > 0 then call('HINCRBY', K.c, 'f', -gone) end
wake(queue, now)
return table.concat(out)
