-- Which of some commands the user may not call.
-- KEYS: a key of the partition.  ARGV: a channel of ours, then the commands.
-- Reply: the names of those it may not call, on that key where they take one.
local denied = {}

-- Redis 8 refuses the question where the command takes another number of arguments, and does not
-- say which.
local function may(name)
  for _, count in ipairs({3, 2, 1, 0, 4, 5, 6}) do
    local arguments = {name, KEYS[1]}
    for i = 1, count do arguments[2 + i] = '0' end
    local asked, allowed = pcall(redis.acl_check_cmd, unpack(arguments))
    if asked then return allowed end
  end
  return true
end

for i = 2, #ARGV do
  local allowed
  if ARGV[i] == 'time' then
    allowed = redis.acl_check_cmd('time')
  elseif ARGV[i] == 'publish' then
    allowed = redis.acl_check_cmd('publish', ARGV[1], 'x')
  else
    allowed = may(ARGV[i])
  end
  if not allowed then denied[#denied + 1] = ARGV[i] end
end
return denied
