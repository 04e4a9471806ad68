-- What callers report of their calls. An event is never changed; after its retention it goes, and the roll-ups stay.
CREATE TABLE usage_events (
    batch_id         TEXT COLLATE "C" NOT NULL,
    position         BIGINT NOT NULL,
    event_id         TEXT COLLATE "C",
    prompt_id        TEXT COLLATE "C" NOT NULL,
    version          BIGINT NOT NULL,
    occurred_at      BIGINT NOT NULL,
    success          BIGINT,
    response_time_us BIGINT,
    input_tokens     BIGINT,
    output_tokens    BIGINT,
    cost_nanos       BIGINT,
    score            DOUBLE PRECISION,
    model            TEXT COLLATE "C",
    service_name     TEXT COLLATE "C",
    user_id          TEXT COLLATE "C",
    session_id       TEXT COLLATE "C",
    ab_test_id       TEXT COLLATE "C",
    variant          TEXT COLLATE "C",
    failure_kind     TEXT COLLATE "C",
    PRIMARY KEY (batch_id, position)
);

CREATE UNIQUE INDEX usage_events_event_id ON usage_events (event_id) WHERE event_id IS NOT NULL;

-- The batches that are not yet rolled up, each written with its events.
CREATE TABLE usage_batches (
    id     TEXT COLLATE "C" PRIMARY KEY,
    events BIGINT NOT NULL
);

-- Sums and sketches by hour and by day. Version 0: all versions, models and services of a prompt; an empty prompt: all prompts.
CREATE TABLE usage_rollups (
    grain          TEXT COLLATE "C" NOT NULL CHECK (grain IN ('hour', 'day')),
    prompt_id      TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    model          TEXT COLLATE "C" NOT NULL,
    service_name   TEXT COLLATE "C" NOT NULL,
    bucket         BIGINT NOT NULL,
    events         BIGINT NOT NULL,
    successes      BIGINT NOT NULL,
    failures       BIGINT NOT NULL,
    parse_failures BIGINT NOT NULL,
    latency_n      BIGINT NOT NULL,
    latency_us     BIGINT NOT NULL,
    tokens_n       BIGINT NOT NULL,
    input_tokens   BIGINT NOT NULL,
    output_tokens  BIGINT NOT NULL,
    cost_n         BIGINT NOT NULL,
    cost_nanos     BIGINT NOT NULL,
    score_n        BIGINT NOT NULL,
    score_mean     DOUBLE PRECISION NOT NULL,
    score_m2       DOUBLE PRECISION NOT NULL,
    latency_sketch BYTEA NOT NULL,
    tokens_sketch  BYTEA NOT NULL,
    cost_sketch    BYTEA NOT NULL,
    day_changed    BIGINT,
    PRIMARY KEY (grain, prompt_id, version, model, service_name, bucket)
);

-- What each prompt adds up to in a day is known by heart: processes ask what has changed since. Of other rows it is null.
CREATE INDEX usage_rollups_changed ON usage_rollups (day_changed) WHERE day_changed IS NOT NULL;

CREATE INDEX usage_rollups_age ON usage_rollups (bucket) WHERE grain = 'hour';

-- How often versions were served by name in a day; an empty prompt: all of them.
CREATE TABLE prompt_reads (
    prompt_id TEXT COLLATE "C" NOT NULL,
    day       BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    reads     BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, day, version)
);

CREATE INDEX prompt_reads_age ON prompt_reads (day);
