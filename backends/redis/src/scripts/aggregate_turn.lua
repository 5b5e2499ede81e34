-- Closes what is due, hands out questions, then closed epochs.  ARGV: now, max, lease ms, token
-- Reply: {now, generation, {epoch, key, rules, parts, bytes, opened, last, closed, by, aside, token,
--   leased until}..., {epoch, key, rules, parts}..., {rules, JSON}..., when the next turn has something to do or ''}
local now, max, lease, token = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local refusal = newer_layout(call('HGET', A.m, 'v'))
if refusal then return refusal end
local closed, questions, named, rules = {}, {}, {}, {}
forget(now, 500)
write = write_later

local function name_rules(name)
  if not named[name] then
    named[name] = true
    rules[#rules + 1] = {name, call('HGET', A.r, name) or ''}
  end
end

for _, key in ipairs(call('ZRANGEBYSCORE', A.t, '-inf', ms(now), 'LIMIT', 0, 256)) do
  local E = open_of(key)
  if not E then
    call('ZREM', A.t, key)
  else
    local at, by = due_of(E)
    local asks = E.ask and E.ask <= now
    if at and at <= now then
      close(E, by, now)
    elseif not asks or #questions < max then
      if asks then
        questions[#questions + 1] = {ms(E.epoch), key, E.rules, ms(E.parts)}
        name_rules(E.rules)
        E.ask = now + lease
      end
      E.look = look_of(E)
      save_open(E)
    end
  end
end

write_waiting()
for i, epoch in ipairs(call('ZRANGEBYSCORE', A.c, '-inf', ms(now), 'LIMIT', 0, max)) do
  local C = closed_of(epoch)
  local mark = token .. '.' .. i
  put_closed(C, now + lease, mark)
  closed[i] = {ms(C.epoch), C.key, C.rules, ms(C.parts), C.bytes, C.opened, C.last, ms(C.closed), C.by, C.aside, mark,
    ms(now + lease)}
  name_rules(C.rules)
end
write_waiting()
save_counts()
local next_at = next_time()
return {ms(now), call('HGET', A.m, 'generation') or '0', closed, questions, rules, next_at and ms(next_at) or ''}
