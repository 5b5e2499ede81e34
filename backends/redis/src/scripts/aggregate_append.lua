-- Parts come in.  ARGV: now, name of the rules, rules (JSON), then for each part: key, '1' if it is the last,
--   position (16 digits), id (16 bytes), length of the head (8 digits), bytes of the body, head and body
-- Reply: {now, 's' or 'd' for each, '1' if a turn has something to do now, when it has next or ''}
local now, rules_name = clock(ARGV[1]), ARGV[2]
local refusal = newer_layout(call('HGET', A.m, 'v'))
if refusal then return refusal end
if call('HSETNX', A.m, 'v', '1') == 1 then call('HSET', A.m, 'generation', ms(now)) end
if call('HEXISTS', A.r, rules_name) == 0 then call('HSET', A.r, rules_name, ARGV[3]) end
local R = rules_of(rules_name)
local last_epoch = tonumber(call('HGET', A.m, 'last') or '0')
local outcomes, ready, next_at = {}, false, nil
forget(now, 500 + 2 * (#ARGV - 3) / 7)

local function next_epoch()
  last_epoch = math.max(last_epoch + 1, now)
  return last_epoch
end

local function keep(epoch, position, id, head_length, content)
  call('ZADD', A.x, 0, numbered(epoch) .. position .. id)
  call('HSET', A.b, id, numbered(epoch) .. head_length .. content)
end

-- Whether an id is known. One whose time is over is forgotten now, whoever else has not got to it.
local function is_known(id)
  local kept = call('HGET', A.b, id)
  if not kept then return false end
  local epoch = string.sub(kept, 1, 16)
  local till = call('ZSCORE', A.f, epoch)
  if not till or tonumber(till) > now then return true end
  forget_one(epoch)
  return false
end

-- Closes a single part, or drops it.
local function put_aside(part, by, is_kept)
  local E = {
    key = part.key, epoch = next_epoch(), parts = 1, bytes = part.bytes, opened = now, last = now, rules = rules_name,
  }
  keep(E.epoch, part.position, part.id, part.head_length, part.content)
  keep_closed(E, by, 1, now)
  if is_kept then
    ready = true
    return
  end
  bump('dropped', 1)
  finish(closed_of(numbered(E.epoch)))
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
  keep(E.epoch, part.position, part.id, part.head_length, part.content)
  bump('open', 1)
  local by = completes(E, part.is_closing)
  if by then
    close(E, by, now)
    ready = true
    return
  end
  if E.asks and not E.ask then E.ask = now end
  local at = look_of(E)
  -- A part moves the end of an epoch away; what is in the index stays where that is earlier.
  E.look = at and math.min(E.look or at, at) or nil
  save_open(E)
  if at and at <= now then ready = true end
  if at and (not next_at or at < next_at) then next_at = at end
end

local function place(part)
  local E = open_of(part.key)
  local was_closed = false
  if E then
    local at, by = due_of(E)
    if at and at <= now then
      close(E, by, now)
      E, was_closed, ready = nil, true, true
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
        if part.is_closing then
          close(E, 'closing', now)
          ready = true
        end
        return put_aside(part, 'full', true)
      end
      close(E, 'full', now)
      E, ready = nil, true
    end
  end
  if not E then
    E = {
      key = part.key, epoch = next_epoch(), parts = 0, bytes = 0, opened = now, last = now,
      asks = R.predicate ~= nil, rules = rules_name,
    }
    call('ZADD', A.n, 0, part.key)
  end
  join(E, part)
end

for i = 4, #ARGV, 7 do
  local id = ARGV[i + 3]
  if is_known(id) then
    outcomes[#outcomes + 1] = 'd'
  else
    outcomes[#outcomes + 1] = 's'
    place({
      key = ARGV[i], is_closing = ARGV[i + 1] == '1', position = ARGV[i + 2], id = id, head_length = ARGV[i + 4],
      bytes = tonumber(ARGV[i + 5]), content = ARGV[i + 6],
    })
  end
end
call('HSET', A.m, 'last', ms(last_epoch))
save_counts()
return {ms(now), table.concat(outcomes), ready and '1' or '0', next_at and ms(next_at) or ''}
