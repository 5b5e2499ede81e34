-- What becomes of epochs.  ARGV: now, verb, then for each:
--   finish: epoch, token, 'r' released 'd' dead or ms to put it off
--   answer: key, epoch, parts, 'c' complete 'n' not yet 'f' failed
--   change: key, epoch, 'c' close 'd' discard
-- Reply: {now, a letter for each}: a applied, l lease lost (or leased), n not found
local now, verb = clock(ARGV[1]), ARGV[2]
local refusal = newer_layout(call('HGET', A.m, 'v'))
if refusal then return refusal end
local outcomes = {}

local function finish_one(epoch, token, fate)
  local C = closed_of(numbered(tonumber(epoch)))
  if not C or C.token ~= token then return 'l' end
  if fate == 'r' or fate == 'd' then
    bump(fate == 'r' and 'released' or 'dead', C.parts)
    finish(C)
  else
    put_closed(C, math.min(now + tonumber(fate), TIME_MAX), '-')
  end
  return 'a'
end

local function answer_one(key, epoch, parts, judged)
  local E = open_of(key)
  if not E or E.epoch ~= tonumber(epoch) then return 'l' end
  local is_current = E.parts == tonumber(parts)
  if judged == 'c' and is_current then
    close(E, 'predicate', now)
    return 'a'
  end
  if judged == 'f' then
    E.ask, E.asks = nil, false
  elseif judged == 'n' and is_current then
    E.ask = nil
  else
    -- More parts came meanwhile: it is asked again.
    E.ask = E.asks and now or nil
  end
  E.look = look_of(E)
  save_open(E)
  return judged == 'c' and 'l' or 'a'
end

local function change_one(key, epoch, change)
  local E = open_of(key)
  if E and E.epoch == tonumber(epoch) then
    close(E, 'force', now)
    if change == 'c' then return 'a' end
  elseif change == 'c' then
    return 'n'
  end
  local C = closed_of(numbered(tonumber(epoch)))
  if not C or C.key ~= key then return 'n' end
  if C.token ~= '-' and tonumber(call('ZSCORE', A.c, C.name)) > now then return 'l' end
  bump('discarded', C.parts)
  finish(C)
  return 'a'
end

local verbs = {finish = {finish_one, 3}, answer = {answer_one, 4}, change = {change_one, 3}}
local one, width = verbs[verb][1], verbs[verb][2]
for i = 3, #ARGV, width do
  outcomes[#outcomes + 1] = one(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
save_counts()
return {ms(now), table.concat(outcomes)}
