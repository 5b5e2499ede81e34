-- Parts come in.  ARGV: now, name of the rules, rules (JSON), then for each part: key, '1' if it is the last and
--   position (16 digits) and id (16 bytes) and length of the head (8 digits), head and body
-- Reply: {now, 's' or 'd' for each, '1' if a turn has something to do now, when it has next or ''}
local now, rules_name = clock(ARGV[1]), ARGV[2]
local refusal = newer_layout(call('HGET', A.m, 'v'))
if refusal then return refusal end
if call('HSETNX', A.m, 'v', '1') == 1 then call('HSET', A.m, 'generation', ms(now)) end
if call('HEXISTS', A.r, rules_name) == 0 then call('HSET', A.r, rules_name, ARGV[3]) end
local R = rules_of(rules_name)
local last_epoch = tonumber(call('HGET', A.m, 'last') or '0')
local outcomes, ready, next_at = {}, false, nil
forget(now, 500 + 2 * (#ARGV - 3) / 3)
write = write_later

local function next_epoch()
  last_epoch = math.max(last_epoch + 1, now)
  return last_epoch
end

-- The values of many fields, by field.
local function read_many(key, fields)
  local values = {}
  for from = 1, #fields, 1000 do
    local to = math.min(from + 999, #fields)
    for i, value in ipairs(call('HMGET', key, unpack(fields, from, to))) do values[fields[from + i - 1]] = value end
  end
  return values
end

local parts, ids, keys, is_asked = {}, {}, {}, {}
for i = 4, #ARGV, 3 do
  local key, about, content = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local head_length = string.sub(about, 34)
  parts[#parts + 1] = {
    key = key, is_closing = string.sub(about, 1, 1) == '1', place = string.sub(about, 2, 33),
    id = string.sub(about, 18, 33), head_length = head_length, bytes = #content - tonumber(head_length),
    content = content,
  }
  ids[#ids + 1] = parts[#parts].id
  if not is_asked[key] then
    is_asked[key] = true
    keys[#keys + 1] = key
  end
end
local kept_of, row_of_key = read_many(A.b, ids), read_many(A.o, keys)

-- The open epochs of the keys that were looked at, or false.
local open = {}
local function open_now(key)
  if open[key] == nil then open[key] = open_in(key, row_of_key[key]) or false end
  return open[key]
end

local function keep(epoch, part)
  write('ZADD', A.x, 0, numbered(epoch) .. part.place)
  write('HSET', A.b, part.id, numbered(epoch) .. part.head_length .. part.content)
end

-- Whether an id is known. One whose time is over is forgotten now, whoever else has not got to it.
local was_met, has_forgotten = {}, false
local function is_known(id)
  local kept = kept_of[id]
  -- What this call changed is read again.
  if was_met[id] then
    write_waiting()
    kept = call('HGET', A.b, id)
  elseif kept and has_forgotten then
    kept = call('HGET', A.b, id)
  end
  was_met[id] = true
  if not kept then return false end
  local epoch = string.sub(kept, 1, 16)
  local till = call('ZSCORE', A.f, epoch)
  if not till or tonumber(till) > now then return true end
  forget_one(epoch)
  has_forgotten = true
  return false
end

-- Closes a single part, or drops it.
local function put_aside(part, by, is_kept)
  local E = {
    key = part.key, epoch = next_epoch(), parts = 1, bytes = part.bytes, opened = now, last = now, rules = rules_name,
  }
  keep(E.epoch, part)
  keep_closed(E, by, 1, now)
  if is_kept then
    ready = true
    return
  end
  bump('dropped', 1)
  write_waiting()
  finish(closed_of(numbered(E.epoch)))
end

local was_closed_now = {}
local function close_now(E, by)
  close(E, by, now)
  open[E.key], was_closed_now[E.key], ready = false, true, true
end

-- What completes an open epoch at once.
local function completes(E, is_closing)
  local rules = rules_of(E.rules)
  if is_closing then return 'closing' end
  if rules.size and E.parts >= rules.size then return 'size' end
  if rules.bytes and E.bytes >= rules.bytes then return 'bytes' end
end

local function join(E, part)
  E.parts, E.bytes, E.last = E.parts + 1, E.bytes + part.bytes, now
  keep(E.epoch, part)
  bump('open', 1)
  local by = completes(E, part.is_closing)
  if by then return close_now(E, by) end
  if E.has_joined then return end
  -- More parts of the same call change nothing about its times.
  E.has_joined = true
  if E.asks and not E.ask then E.ask = now end
  local at = look_of(E)
  -- A part moves the end of an epoch away; what is in the index stays where that is earlier.
  E.look = at and math.min(E.look or at, at) or nil
  if at and at <= now then ready = true end
  if at and (not next_at or at < next_at) then next_at = at end
end

local function place(part)
  local E = open_now(part.key)
  local was_closed = false
  if E and not E.has_joined then
    local at, by = due_of(E)
    if at and at <= now then
      close_now(E, by)
      E, was_closed = nil, true
    end
  end
  bump('accepted', 1)
  if not E and R.late ~= 'open' and (was_closed or call('HEXISTS', A.k, part.key) == 1) then
    return put_aside(part, 'late', R.late == 'dead')
  end
  if E then
    local rules = rules_of(E.rules)
    if E.parts >= rules.parts_max or E.bytes + part.bytes > rules.bytes_max then
      if rules.full == 'refuse' then
        -- It is set aside, and what it says is heard.
        if part.is_closing then close_now(E, 'closing') end
        return put_aside(part, 'full', true)
      end
      close_now(E, 'full')
      E = nil
    end
  end
  if not E then
    -- What the end of an earlier epoch of the key removes goes before this one is written.
    if was_closed_now[part.key] then write_waiting() end
    E = {
      key = part.key, epoch = next_epoch(), parts = 0, bytes = 0, opened = now, last = now,
      asks = R.predicate ~= nil, rules = rules_name, is_new = true,
    }
    open[part.key] = E
  end
  join(E, part)
end

for i, part in ipairs(parts) do
  if is_known(part.id) then
    outcomes[i] = 'd'
  else
    outcomes[i] = 's'
    place(part)
  end
end
for key, E in pairs(open) do
  if E and E.has_joined then
    if E.is_new then write('ZADD', A.n, 0, key) end
    save_open(E)
  end
end
write_waiting()
call('HSET', A.m, 'last', ms(last_epoch))
save_counts()
return {ms(now), table.concat(outcomes), ready and '1' or '0', next_at and ms(next_at) or ''}
