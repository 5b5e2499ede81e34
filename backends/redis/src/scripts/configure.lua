-- Replaces the settings of a queue if nobody else did.  KEYS: the settings.
-- ARGV: the settings as they were read, the new ones.  Reply: 1 if it was done
local was = call('HGET', KEYS[1], 'settings') or ''
if was ~= ARGV[1] then return 0 end
call('HSET', KEYS[1], 'settings', ARGV[2])
return 1
