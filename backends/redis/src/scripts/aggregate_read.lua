-- Looks, and changes nothing.  ARGV: now, verb, then
--   numbers                            Reply: {now, {name, number...}, open epochs, closed epochs, next or ''}
--   parts: key, epoch, after, max, bytes
--     (after: position and id)         Reply: {now, {position and id, what is kept of it}..., '1' if there is more}
--   open, closed: key or '', after, max
--                                      Reply: {now, {...}..., {rules, JSON}...}
local now, verb = clock(ARGV[1]), ARGV[2]
local refusal = newer_layout(call('HGET', A.m, 'v'))
if refusal then return refusal end

if verb == 'numbers' then
  local next_at = next_time()
  return {ms(now), call('HGETALL', A.m), call('ZCARD', A.n), call('ZCARD', A.w), next_at and ms(next_at) or ''}
end

if verb == 'parts' then
  local key, epoch, after, max, bytes = ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
  local E, C, parts = open_of(key), closed_of(numbered(epoch)), {}
  if not (E and E.epoch == epoch) and not (C and C.key == key) then return {ms(now), {}, '0'} end
  local from = after == '' and '[' .. numbered(epoch) or '(' .. numbered(epoch) .. after
  local members = call('ZRANGEBYLEX', A.x, from, '(' .. numbered(epoch + 1), 'LIMIT', 0, max + 1)
  for i, member in ipairs(members) do
    if i > max or bytes <= 0 then return {ms(now), parts, '1'} end
    local kept = call('HGET', A.b, string.sub(member, 33)) or ''
    bytes = bytes - #kept
    parts[i] = {string.sub(member, 17), string.sub(kept, 17)}
  end
  return {ms(now), parts, '0'}
end

local key, after, max = ARGV[3], ARGV[4], tonumber(ARGV[5])
local found, named, rules = {}, {}, {}
local function name_rules(name)
  if not named[name] then
    named[name] = true
    rules[#rules + 1] = {name, call('HGET', A.r, name) or ''}
  end
end

if verb == 'open' then
  local keys = {key}
  if key == '' then
    keys = call('ZRANGEBYLEX', A.n, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, max)
  elseif after ~= '' then
    keys = {}
  end
  for _, name in ipairs(keys) do
    local E = open_of(name)
    if E then
      found[#found + 1] = {ms(E.epoch), name, E.rules, ms(E.parts), ms(E.bytes), ms(E.opened), ms(E.last)}
      name_rules(E.rules)
    end
  end
  return {ms(now), found, rules}
end

local from = after == '' and '-' or '(' .. numbered(tonumber(after))
while #found < max do
  local some = call('ZRANGEBYLEX', A.w, from, '+', 'LIMIT', 0, 256)
  for _, epoch in ipairs(some) do
    local C = closed_of(epoch)
    if C and #found < max and (key == '' or C.key == key) then
      found[#found + 1] = {ms(C.epoch), C.key, C.rules, ms(C.parts), C.bytes, C.opened, C.last, ms(C.closed), C.by,
        C.aside, C.token, call('ZSCORE', A.c, epoch) or '0'}
      name_rules(C.rules)
    end
  end
  if #some < 256 then break end
  from = '(' .. some[256]
end
return {ms(now), found, rules}
