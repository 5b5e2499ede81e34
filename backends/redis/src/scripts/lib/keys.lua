-- What every script of a partition shares. The keys come in this order, in every script:
--   c   hash: lane cursors cur0..cur2, in-flight count f, turn, row sequence seq, pause, moving,
--       layout version v, parked count
--   s0 s1 s2  streams, one a lane: ready and leased bodies
--   l   zset: segment -> end of its lease in ms
--   h   hash: segment -> its runs, segment# -> how many of its entries are unsettled
--   e   zset, all scores 0: runs that came back (released, or their lease ended), by position
--   z   zset: row -> due ms (delayed and back-off)          b  hash: row -> packed row
--   gw  zset, all scores 0: members waiting behind another of their group
--   ga  hash: group -> "1" if a member is admitted, ":" and how many dead members park it
--   d   stream: dead letters     di  hash: message id -> its entry in d
--   k   zset: "i" id or "d" dedup key -> recognised until   kh  hash: dedup key -> first id
--   o   hash: lane and entry -> checkpoint of an entry that was released where it lay
--   w   zset: sleeping receivers -> until       nv  zset: row of a newer version -> due
--   p   prefix of the keys that hold large bodies (p:<name>)
local K = {}
for i, name in ipairs({'c', 's0', 's1', 's2', 'l', 'h', 'e', 'z', 'b', 'gw', 'ga', 'd', 'di', 'k',
                       'kh', 'o', 'w', 'nv', 'p'}) do
  K[name] = KEYS[i]
end
local S = {['0'] = K.s0, ['1'] = K.s1, ['2'] = K.s2}
local INF = '+inf'

-- What a newer longshore laid out is left alone by every script.
local layout = call('HGET', K.c, 'v')
local refusal = newer_layout(layout)
if refusal then return refusal end
