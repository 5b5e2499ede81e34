-- A named lease with a growing epoch.  KEYS: the lease, its progress.
-- ARGV: now, 'acquire' 'renew' 'release' 'current' 'save', holder, epoch, ttl ms, then for save key, value...
-- Reply: {holder, epoch, until}, 1, or nothing
local call = redis.call
local now = tonumber(ARGV[1])
if not now then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local verb, holder, epoch, ttl = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local L = call('HMGET', KEYS[1], 'holder', 'epoch', 'until')
local runs = L[3] and tonumber(L[3]) > now
local mine = L[1] == holder and L[2] == epoch

local function hold(new_epoch)
  local till = string.format('%.0f', now + ttl)
  call('HSET', KEYS[1], 'holder', holder, 'epoch', new_epoch, 'until', till)
  return {holder, tostring(new_epoch), till}
end

if verb == 'acquire' then
  if runs and L[1] ~= holder then return false end
  if runs then return hold(L[2]) end
  return hold(string.format('%.0f', tonumber(L[2] or 0) + 1))
elseif verb == 'renew' then
  if not mine or L[3] == '0' then return false end
  return hold(epoch)
elseif verb == 'release' then
  if mine then call('HSET', KEYS[1], 'until', '0') end
  return 1
elseif verb == 'current' then
  if not runs then return false end
  return {L[1], L[2], L[3]}
end
if L[2] ~= epoch then return false end
local till = string.format('%.0f', now + ttl)
for i = 6, #ARGV, 2 do call('HSET', KEYS[2], ARGV[i], till .. ' ' .. ARGV[i + 1]) end
-- What ran out goes, a handful with each save: more than a save can add, so it never piles up.
local swept = call('HSCAN', KEYS[2], call('HGET', KEYS[1], 'swept') or '0', 'COUNT', #ARGV + 16)
call('HSET', KEYS[1], 'swept', swept[1])
for i = 1, #swept[2], 2 do
  local kept_till = tonumber(string.match(swept[2][i + 1], '^(%d+) '))
  if not kept_till or kept_till <= now then call('HDEL', KEYS[2], swept[2][i]) end
end
return 1
