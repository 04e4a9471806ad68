-- What callers report of their calls. An event is never changed; after its retention it goes, and the roll-ups stay.
CREATE TABLE usage_events (
    batch_id         TEXT NOT NULL,
    position         INTEGER NOT NULL,
    event_id         TEXT,
    prompt_id        TEXT NOT NULL,
    version          INTEGER NOT NULL,
    occurred_at      INTEGER NOT NULL,
    success          INTEGER,
    response_time_us INTEGER,
    input_tokens     INTEGER,
    output_tokens    INTEGER,
    cost_nanos       INTEGER,
    score            REAL,
    model            TEXT,
    service_name     TEXT,
    user_id          TEXT,
    session_id       TEXT,
    ab_test_id       TEXT,
    variant          TEXT,
    failure_kind     TEXT,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX usage_events_event_id ON usage_events (event_id) WHERE event_id IS NOT NULL;

-- The batches that are not yet rolled up, each written with its events.
CREATE TABLE usage_batches (
    id     TEXT PRIMARY KEY,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sums and sketches by hour and by day. Version 0: all versions, models and services of a prompt; an empty prompt: all prompts.
CREATE TABLE usage_rollups (
    grain          TEXT NOT NULL CHECK (grain IN ('hour', 'day')),
    prompt_id      TEXT NOT NULL,
    version        INTEGER NOT NULL,
    model          TEXT NOT NULL,
    service_name   TEXT NOT NULL,
    bucket         INTEGER NOT NULL,
    events         INTEGER NOT NULL,
    successes      INTEGER NOT NULL,
    failures       INTEGER NOT NULL,
    parse_failures INTEGER NOT NULL,
    latency_n      INTEGER NOT NULL,
    latency_us     INTEGER NOT NULL,
    tokens_n       INTEGER NOT NULL,
    input_tokens   INTEGER NOT NULL,
    output_tokens  INTEGER NOT NULL,
    cost_n         INTEGER NOT NULL,
    cost_nanos     INTEGER NOT NULL,
    score_n        INTEGER NOT NULL,
    score_mean     REAL NOT NULL,
    score_m2       REAL NOT NULL,
    latency_sketch BLOB NOT NULL,
    tokens_sketch  BLOB NOT NULL,
    cost_sketch    BLOB NOT NULL,
    day_changed    INTEGER,
    PRIMARY KEY (grain, prompt_id, version, model, service_name, bucket)
) STRICT;

-- What each prompt adds up to in a day is known by heart: processes ask what has changed since. Of other rows it is null.
CREATE INDEX usage_rollups_changed ON usage_rollups (day_changed) WHERE day_changed IS NOT NULL;

CREATE INDEX usage_rollups_age ON usage_rollups (bucket) WHERE grain = 'hour';

-- How often versions were served by name in a day; an empty prompt: all of them.
CREATE TABLE prompt_reads (
    prompt_id TEXT NOT NULL,
    day       INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    reads     INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, day, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX prompt_reads_age ON prompt_reads (day);
