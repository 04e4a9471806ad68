-- What has happened, a row for each event, written in the transaction of its change. `sequence` is given afterwards, to
-- what is committed: whoever reads on from a sequence misses nothing. `ordinal` only orders what has none yet.
CREATE TABLE events (
    ordinal    INTEGER PRIMARY KEY NOT NULL,
    id         TEXT NOT NULL UNIQUE,
    sequence   INTEGER UNIQUE,
    event_type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    data       TEXT NOT NULL,
    object     TEXT,
    actor      TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX events_unsealed ON events (ordinal) WHERE sequence IS NULL;
CREATE INDEX events_by_type ON events (event_type, sequence);
CREATE INDEX events_by_time ON events (at, sequence);

-- One row, once there is an event: the last sequence that was given, and whether anybody wants objects whole.
CREATE TABLE event_log (
    id           INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    sealed       INTEGER NOT NULL DEFAULT 0,
    keeps_object INTEGER NOT NULL DEFAULT 0
) STRICT;
