-- A named lease with a growing epoch.  KEYS: the lease, its progress.
-- ARGV: now, 'acquire' 'renew' 'release' 'current' 'save', holder, epoch, ttl ms, then for save key, value...
-- Reply: {holder, epoch, until}, 1, or nothing
local lease, progress, now = KEYS[1], KEYS[2], clock(ARGV[1])
local verb, holder, epoch, ttl = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local L = call('HMGET', lease, 'holder', 'epoch', 'until')
local runs = L[3] and tonumber(L[3]) > now
local mine = L[1] == holder and L[2] == epoch

local function hold(new_epoch)
  local till = ms(now + ttl)
  call('HSET', lease, 'holder', holder, 'epoch', new_epoch, 'until', till)
  return {holder, tostring(new_epoch), till}
end

if verb == 'acquire' then
  if runs and L[1] ~= holder then return false end
  if runs then return hold(L[2]) end
  return hold(ms(tonumber(L[2] or 0) + 1))
elseif verb == 'renew' then
  if not mine or L[3] == '0' then return false end
  return hold(epoch)
elseif verb == 'release' then
  if mine then call('HSET', lease, 'until', '0') end
  return 1
elseif verb == 'current' then
  if not runs then return false end
  return {L[1], L[2], L[3]}
end
if L[2] ~= epoch then return false end
local till = ms(now + ttl)
for i = 6, #ARGV, 2 do call('HSET', progress, ARGV[i], till .. ' ' .. ARGV[i + 1]) end
-- What ran out goes, a handful with each save: more than a save can add, so it never piles up.
local swept = call('HSCAN', progress, call('HGET', lease, 'swept') or '0', 'COUNT', #ARGV + 16)
call('HSET', lease, 'swept', swept[1])
for i = 1, #swept[2], 2 do
  local kept_till = tonumber(string.match(swept[2][i + 1], '^(%d+) '))
  if not kept_till or kept_till <= now then call('HDEL', progress, swept[2][i]) end
end
return 1
