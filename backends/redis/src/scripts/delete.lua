-- Forgets a partition in which nothing is.  Reply: 1 where that is so now
local held = call('XLEN', K.s0) + call('XLEN', K.s1) + call('XLEN', K.s2) + call('ZCARD', K.z) +
             call('ZCARD', K.gw) + call('XLEN', K.d)
if held > 0 then return 0 end
call('HDEL', K.c, 'v', 'pause', 'moving')
return 1
