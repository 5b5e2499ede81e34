-- Which of some commands the user may not call.
-- KEYS: a key of the partition.  ARGV: a channel of ours, then the commands.
-- Reply: the names of those it may not call, on that key where they take one.
local denied = {}
for i = 2, #ARGV do
  local allowed
  if ARGV[i] == 'time' then
    allowed = redis.acl_check_cmd('time')
  elseif ARGV[i] == 'publish' then
    allowed = redis.acl_check_cmd('publish', ARGV[1], 'x')
  else
    allowed = redis.acl_check_cmd(ARGV[i], KEYS[1], '0', '0', '0')
  end
  if not allowed then denied[#denied + 1] = ARGV[i] end
end
return denied
