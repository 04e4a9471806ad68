-- Who is told of events. `failures` counts attempts since the last one that went well; while `paused_until` has not
-- come, nothing is sent. Secrets are encrypted.
CREATE TABLE webhooks (
    id                    TEXT PRIMARY KEY NOT NULL,
    name                  TEXT NOT NULL,
    url                   TEXT NOT NULL,
    events                TEXT NOT NULL,
    payload               TEXT NOT NULL CHECK (payload IN ('thin', 'full')),
    is_active             INTEGER NOT NULL,
    active_since          INTEGER NOT NULL,
    retry_count           INTEGER NOT NULL,
    timeout_seconds       INTEGER NOT NULL,
    secret                TEXT NOT NULL,
    previous_secret       TEXT,
    previous_secret_until INTEGER,
    failures              INTEGER NOT NULL DEFAULT 0,
    failing_since         INTEGER,
    paused_until          INTEGER,
    disabled_reason       TEXT,
    created_by            TEXT NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

CREATE INDEX webhooks_by_creation ON webhooks (created_at, id);

-- One event, one receiver. A test has no event. `tries` are the attempts since it was last begun anew.
CREATE TABLE webhook_deliveries (
    id              TEXT PRIMARY KEY NOT NULL,
    webhook_id      TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id        TEXT REFERENCES events (id) ON DELETE CASCADE,
    event_type      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'endpoint_disabled')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    tries           INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    last_status     INTEGER,
    last_error      TEXT,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER
) STRICT;

CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (event_id, webhook_id) WHERE event_id IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_creation ON webhook_deliveries (webhook_id, created_at, id);

CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    attempt     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status      INTEGER,
    error       TEXT,
    response    TEXT,
    PRIMARY KEY (delivery_id, attempt)
) STRICT, WITHOUT ROWID;
