-- Replaces head and body of the row of a message, wherever it lies.
-- KEYS: s0, s1, s2, b.  ARGV: id (16 bytes), head, body.  Reply: how many were replaced
local done = 0
for i = 1, 3 do
  for _, entry in ipairs(redis.call('XRANGE', KEYS[i], '-', '+')) do
    local mine = false
    for j = 1, #entry[2], 2 do
      if entry[2][j] == 'i' then
        mine = entry[2][j + 1] == ARGV[1]
      elseif entry[2][j] == 'h' and mine then
        entry[2][j + 1] = ARGV[2]
      elseif entry[2][j] == 'b' and mine then
        entry[2][j + 1] = ARGV[3]
      end
    end
    if mine then
      redis.call('XDEL', KEYS[i], entry[1])
      redis.call('XADD', KEYS[i], '*', unpack(entry[2]))
      done = done + 1
    end
  end
end
local rows = redis.call('HGETALL', KEYS[4])
for i = 1, #rows, 2 do
  local row = cmsgpack.unpack(rows[i + 1])
  if row[8] == ARGV[1] then
    row[5], row[6] = ARGV[2], ARGV[3]
    redis.call('HSET', KEYS[4], rows[i], cmsgpack.pack(row))
    done = done + 1
  end
end
return done
