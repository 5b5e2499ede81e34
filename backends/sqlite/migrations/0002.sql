-- The boots of the hosts that had the file open, the latest few. Leases end by the time since a
-- boot, which no step of the wall clock moves; these numbers, in ms, make times of both.
CREATE TABLE boot (
  id          TEXT    PRIMARY KEY,
  lease_ahead INTEGER NOT NULL,           -- time of leases less the time since the boot
  wall_ahead  INTEGER NOT NULL,           -- wall clock less the time since the boot, when last seen
  stepped     INTEGER NOT NULL DEFAULT 0, -- by how much the wall clock stepped last
  stepped_at  INTEGER NOT NULL DEFAULT 0, -- when that was seen, in time of leases; 0 for never
  latest      INTEGER NOT NULL            -- time of leases when last noted: the next boot starts here
) STRICT, WITHOUT ROWID;
