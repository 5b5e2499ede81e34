-- Aggregates: parts collected under correlation keys. One row for each aggregate, with its numbers:
-- all of parts, but for the last two.
CREATE TABLE aggregate (
  aggregate     INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL UNIQUE,
  generation    INTEGER NOT NULL,           -- when it was made: part of the ids of its messages
  last          INTEGER NOT NULL DEFAULT 0, -- the last epoch; never goes back
  accepted      INTEGER NOT NULL DEFAULT 0,
  open          INTEGER NOT NULL DEFAULT 0,
  closed        INTEGER NOT NULL DEFAULT 0,
  released      INTEGER NOT NULL DEFAULT 0,
  dead          INTEGER NOT NULL DEFAULT 0,
  dropped       INTEGER NOT NULL DEFAULT 0,
  discarded     INTEGER NOT NULL DEFAULT 0,
  open_epochs   INTEGER NOT NULL DEFAULT 0,
  closed_epochs INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Rules as they were when an epoch was opened: epochs name them by number.
CREATE TABLE aggregate_rules (
  rules INTEGER PRIMARY KEY,
  body  TEXT    NOT NULL UNIQUE             -- JSON with its version
) STRICT;

-- The open epoch of each key that has one.
CREATE TABLE open_epoch (
  aggregate INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  epoch     INTEGER NOT NULL,
  rules     INTEGER NOT NULL,
  parts     INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  opened    INTEGER NOT NULL,
  last      INTEGER NOT NULL,               -- when the last part came
  ask       INTEGER,                        -- when its predicate is to be asked
  asks      INTEGER NOT NULL,               -- whether its predicate may still be asked
  look      INTEGER,                        -- not after the time at which it is due or to be asked
  PRIMARY KEY (aggregate, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_epoch_look ON open_epoch (aggregate, look) WHERE look IS NOT NULL;

-- Closed epochs until they are forgotten.
CREATE TABLE closed_epoch (
  aggregate INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  key       TEXT    NOT NULL,
  rules     INTEGER NOT NULL,
  parts     INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  opened    INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  closed    INTEGER NOT NULL,               -- when it closed
  by        TEXT    NOT NULL,               -- what completed it
  aside     INTEGER NOT NULL,               -- 1: a single part that was set aside
  state     INTEGER NOT NULL,               -- 1 waits for its release or is leased, 2 done
  at        INTEGER NOT NULL,               -- 1: from when on it is handed out; 2: when it is forgotten
  token     INTEGER NOT NULL,               -- new for every hand-out: the fence; 0 for none
  PRIMARY KEY (aggregate, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX closed_epoch_turn ON closed_epoch (aggregate, state, at);
CREATE INDEX closed_epoch_key  ON closed_epoch (aggregate, key);

-- Parts. Once their epoch is done only their ids are kept, until it is forgotten.
CREATE TABLE part (
  seq       INTEGER PRIMARY KEY,
  aggregate INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  id        BLOB    NOT NULL,
  head      BLOB    NOT NULL,               -- the stored form, checksum included
  body      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX part_id    ON part (aggregate, id);
CREATE INDEX        part_epoch ON part (aggregate, epoch, position, id);
