-- One row per queue: its name, its numbers, its settings. Numbers are kept in the transaction
-- that changes them, so reading them costs one row.
CREATE TABLE queue (
  queue    INTEGER PRIMARY KEY,
  name     TEXT    NOT NULL UNIQUE,
  waiting  INTEGER NOT NULL DEFAULT 0, -- ready, set aside, or behind another member of the group
  delayed  INTEGER NOT NULL DEFAULT 0, -- state 14 and 20, due or not
  leased   INTEGER NOT NULL DEFAULT 0,
  dead     INTEGER NOT NULL DEFAULT 0, -- parked ones included
  turn     INTEGER NOT NULL DEFAULT 0, -- receives so far: decides which lane goes first
  settings TEXT    NOT NULL DEFAULT '{}',
  pause    TEXT,
  moving   TEXT
) STRICT;

-- One row per message, live or dead.
--
-- state: 10 11 12 ready in the high, normal, low lane; 13 leased; 14 back-off; 15 set aside (newer
-- version); 16 dead and holding its group; 20 delayed; 21 behind another member of its group;
-- 30 dead. At most one member of a group has a state from 10 to 16.
--
-- at: what the state is sorted by, in ms: ready and behind by due time, leased by the lease end,
-- back-off, delayed and set aside by when they are looked at again, dead by the time of death.
--
-- at, token and due are always 6, 8 and 6 bytes long and state is never 0 or 1: a row that is
-- leased keeps its length, so SQLite writes it in place and a long body is not copied.
CREATE TABLE message (
  seq      INTEGER PRIMARY KEY,        -- ties of `at` are in this order; a redrive gives a new one
  queue    INTEGER NOT NULL,
  state    INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  token    INTEGER NOT NULL,           -- new for every delivery and every settle: the fence
  attempts INTEGER NOT NULL,
  flags    INTEGER NOT NULL,           -- 1 given id, 2 has a detail row, 4 has a dedup key, 8 and 16 lane
  due      INTEGER NOT NULL,           -- when it is or was due
  id       BLOB    NOT NULL,
  grp      TEXT,
  head     BLOB    NOT NULL,           -- the stored form, checksum included
  body     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX message_id    ON message (queue, id);
CREATE INDEX        message_turn  ON message (queue, state, at);
CREATE INDEX        message_group ON message (queue, grp, state, at) WHERE grp IS NOT NULL;

-- What only some messages have: history, checkpoint, the mark of a dead letter.
CREATE TABLE detail (
  seq              INTEGER PRIMARY KEY,
  recorded_through INTEGER NOT NULL,
  history          BLOB    NOT NULL,
  checkpoint       BLOB,
  reason           TEXT,
  error            TEXT
) STRICT;

-- Given ids of messages that are gone, until their window ends.
CREATE TABLE known_id (
  queue INTEGER NOT NULL,
  id    BLOB    NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_id_until ON known_id (until);

-- Dedup keys until their window ends. The scope is queue and group ('' for no group).
CREATE TABLE dedup (
  queue INTEGER NOT NULL,
  grp   TEXT    NOT NULL,
  key   TEXT    NOT NULL,
  first BLOB    NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, grp, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedup_until ON dedup (until);

-- Named leases. A released one stays, so that its epoch never goes back.
CREATE TABLE lease (
  name   TEXT    PRIMARY KEY,
  holder TEXT    NOT NULL,
  epoch  INTEGER NOT NULL,
  until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the intakes have come.
CREATE TABLE progress (
  name  TEXT    NOT NULL,
  key   TEXT    NOT NULL,
  value BLOB    NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX progress_until ON progress (until);

-- Workers that announced themselves.
CREATE TABLE worker (
  id    TEXT    PRIMARY KEY,
  info  TEXT    NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
