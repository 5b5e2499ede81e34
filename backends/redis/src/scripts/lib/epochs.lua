-- Epochs of one aggregate.  KEYS: in the order of the names below.
local A = {}
for i, name in ipairs({'m', 'r', 'o', 'n', 't', 'e', 'c', 'w', 'f', 'x', 'b', 'k'}) do A[name] = KEYS[i] end

-- No point in time is later.
local TIME_MAX = 253402300799999

-- Changes of the numbers of the aggregate, written once at the end.
local counts = {}
local function bump(name, by) counts[name] = (counts[name] or 0) + by end
local function save_counts()
  for name, by in pairs(counts) do
    if by ~= 0 then call('HINCRBY', A.m, name, ms(by)) end
  end
end

-- Writes that need no answer: at once, or where a script says so with others of their kind.
local write = call
local waiting = {}
local function write_later(command, key, one, other)
  local kind = command .. key
  local args = waiting[kind]
  if not args then
    args = {command, key}
    waiting[kind] = args
  end
  args[#args + 1] = one
  if other then args[#args + 1] = other end
  -- Lua passes at most 8,000 arguments.
  if #args > 4000 then
    waiting[kind] = nil
    call(unpack(args))
  end
end
-- Nothing that waits may be read before. Writes of several kinds come in any order.
local function write_waiting()
  for kind, args in pairs(waiting) do
    waiting[kind] = nil
    call(unpack(args))
  end
end

-- An epoch in sorted names: of one length, so that they sort as numbers.
local function numbered(epoch) return fmt('%016.0f', epoch) end

-- Rules by their name.
local rules_read = {}
local function rules_of(name)
  local rules = rules_read[name]
  if not rules then
    rules = cjson.decode(call('HGET', A.r, name) or '{}')
    for key, value in pairs(rules) do
      if value == cjson.null then rules[key] = nil end
    end
    rules_read[name] = rules
  end
  return rules
end

-- The open epoch of a key as its row says it, or nothing.
local function open_in(key, row)
  if not row then return nil end
  local epoch, parts, bytes, opened, last, ask, asks, rules, look =
    string.match(row, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%d) (%S+) (%S+)$')
  return {
    key = key, epoch = tonumber(epoch), parts = tonumber(parts), bytes = tonumber(bytes),
    opened = tonumber(opened), last = tonumber(last), ask = tonumber(ask), asks = asks == '1',
    rules = rules, look = tonumber(look), kept_look = tonumber(look),
  }
end

local function open_of(key) return open_in(key, call('HGET', A.o, key)) end

local function or_none(number) return number and ms(number) or '-' end

local function save_open(E)
  write('HSET', A.o, E.key, fmt('%.0f %.0f %.0f %.0f %.0f %s %d %s %s', E.epoch, E.parts, E.bytes, E.opened,
    E.last, or_none(E.ask), E.asks and 1 or 0, E.rules, or_none(E.look)))
  if E.look ~= E.kept_look then
    if E.look then write('ZADD', A.t, ms(E.look), E.key) else write('ZREM', A.t, E.key) end
  end
end

-- When an open epoch completes by time, and by which rule; nothing if it does not.
local function due_of(E)
  local R, at, by = rules_of(E.rules), nil, nil
  local function ends(when, rule)
    when = math.min(when, TIME_MAX)
    if not at or when < at then at, by = when, rule end
  end
  if R.at_most_ms then ends(E.opened + R.at_most_ms, 'age') end
  if R.idle_ms then ends(E.last + R.idle_ms, 'idle') end
  if R.interval_ms then ends(E.opened - E.opened % R.interval_ms + R.interval_ms, 'interval') end
  return at, by
end

-- When somebody has to look at it.
local function look_of(E)
  local at = due_of(E)
  if E.ask and (not at or E.ask < at) then return E.ask end
  return at
end

-- The members of an epoch in the list of parts.
local function members_of(epoch)
  return call('ZRANGEBYLEX', A.x, '[' .. numbered(epoch), '(' .. numbered(epoch + 1))
end

-- Keeps a closed epoch, which waits for its release.
local function keep_closed(E, by, aside, now)
  local name = numbered(E.epoch)
  write('HSET', A.e, name, fmt('%s %.0f %.0f %.0f %.0f %.0f %s %d -\n%s', E.rules, E.parts, E.bytes, E.opened, E.last,
    now, by, aside, E.key))
  write('ZADD', A.c, ms(now), name)
  write('ZADD', A.w, 0, name)
  bump('closed', E.parts)
end

-- Closes an open epoch.
local function close(E, by, now)
  write('HDEL', A.o, E.key)
  write('ZREM', A.n, E.key)
  write('ZREM', A.t, E.key)
  call('HINCRBY', A.k, E.key, 1)
  bump('open', -E.parts)
  keep_closed(E, by, 0, now)
end

-- A closed epoch that waits for its release, or nothing. `epoch` is its numbered name.
local function closed_of(epoch)
  local row = call('HGET', A.e, epoch)
  if not row then return nil end
  local rules, parts, bytes, opened, last, closed, by, aside, token, key =
    string.match(row, '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (%d) (%S+)\n(.*)$')
  if not rules then return nil end
  return {
    name = epoch, epoch = tonumber(epoch), rules = rules, parts = tonumber(parts), bytes = bytes, opened = opened,
    last = last, closed = tonumber(closed), by = by, aside = aside, token = token, key = key,
  }
end

-- Puts a closed epoch at another time, under another token.
local function put_closed(C, at, token)
  write('HSET', A.e, C.name, fmt('%s %.0f %s %s %s %.0f %s %s %s\n%s', C.rules, C.parts, C.bytes, C.opened, C.last,
    C.closed, C.by, C.aside, token, C.key))
  write('ZADD', A.c, ms(at), C.name)
end

-- Ends a closed epoch: its bodies go, its ids and its key are remembered.
local function finish(C)
  for _, member in ipairs(members_of(C.epoch)) do
    write('HSET', A.b, string.sub(member, 33), C.name)
  end
  write('ZREM', A.c, C.name)
  write('ZREM', A.w, C.name)
  write('HSET', A.e, C.name, '=' .. C.aside .. '\n' .. C.key)
  write('ZADD', A.f, ms(math.min(C.closed + rules_of(C.rules).remember_ms, TIME_MAX)), C.name)
  bump('closed', -C.parts)
end

-- Forgets an epoch that is done, and says how many parts it had.
local function forget_one(epoch)
  local members = members_of(tonumber(epoch))
  for _, member in ipairs(members) do
    call('HDEL', A.b, string.sub(member, 33))
    call('ZREM', A.x, member)
  end
  local aside, key = string.match(call('HGET', A.e, epoch) or '', '^=(%d)\n(.*)$')
  if aside == '0' and call('HINCRBY', A.k, key, -1) <= 0 then call('HDEL', A.k, key) end
  call('HDEL', A.e, epoch)
  call('ZREM', A.f, epoch)
  return #members
end

-- Forgets up to so many epochs whose time is over, until so many parts are gone: a script is to be short.
local function forget(now, max)
  local gone = 0
  for _, epoch in ipairs(call('ZRANGEBYSCORE', A.f, '-inf', ms(now), 'LIMIT', 0, max)) do
    gone = gone + forget_one(epoch)
    if gone >= max then return end
  end
end

-- When a turn has something to do next.
local function next_time()
  local look, ready = call('ZRANGE', A.t, 0, 0, 'WITHSCORES')[2], call('ZRANGE', A.c, 0, 0, 'WITHSCORES')[2]
  look, ready = tonumber(look), tonumber(ready)
  if look and ready then return math.min(look, ready) end
  return look or ready
end
