-- Background jobs. `run_at` says when the next claim may come: when an available job is due,
-- or when the lease of a running one ends.
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY NOT NULL,
    queue       TEXT NOT NULL,
    payload     TEXT NOT NULL,
    unique_key  TEXT,
    state       TEXT NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'running', 'done', 'dead')),
    run_at      INTEGER NOT NULL,
    fence       INTEGER NOT NULL DEFAULT 0,
    claims      INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    rung_at     INTEGER,
    last_error  TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

CREATE UNIQUE INDEX jobs_unique_key ON jobs (queue, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('available', 'running');
CREATE INDEX jobs_waiting ON jobs (queue, run_at, id) WHERE state IN ('available', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state = 'done';
