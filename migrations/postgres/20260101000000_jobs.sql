-- Background jobs. `run_at` says when the next claim may come: when an available job is due,
-- or when the lease of a running one ends.
CREATE TABLE jobs (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    queue       TEXT COLLATE "C" NOT NULL,
    payload     TEXT NOT NULL,
    unique_key  TEXT COLLATE "C",
    state       TEXT COLLATE "C" NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'running', 'done', 'dead')),
    run_at      BIGINT NOT NULL,
    fence       BIGINT NOT NULL DEFAULT 0,
    claims      BIGINT NOT NULL DEFAULT 0,
    attempts    BIGINT NOT NULL DEFAULT 0,
    rung_at     BIGINT,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);

CREATE UNIQUE INDEX jobs_unique_key ON jobs (queue, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('available', 'running');
CREATE INDEX jobs_waiting ON jobs (queue, run_at, id) WHERE state IN ('available', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state = 'done';
