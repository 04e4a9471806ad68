-- Who is told of events. `failures` counts attempts since the last one that went well; while `paused_until` has not
-- come, nothing is sent. Secrets are encrypted.
CREATE TABLE webhooks (
    id                    TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name                  TEXT NOT NULL,
    url                   TEXT NOT NULL,
    events                JSON NOT NULL,
    payload               TEXT COLLATE "C" NOT NULL CHECK (payload IN ('thin', 'full')),
    is_active             BOOLEAN NOT NULL,
    active_since          BIGINT NOT NULL,
    retry_count           BIGINT NOT NULL,
    timeout_seconds       BIGINT NOT NULL,
    secret                TEXT NOT NULL,
    previous_secret       TEXT,
    previous_secret_until BIGINT,
    failures              BIGINT NOT NULL DEFAULT 0,
    failing_since         BIGINT,
    paused_until          BIGINT,
    disabled_reason       TEXT,
    created_by            TEXT COLLATE "C" NOT NULL,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL
);

CREATE INDEX webhooks_by_creation ON webhooks (created_at, id);

-- One event, one receiver. A test has no event. `tries` are the attempts since it was last begun anew.
CREATE TABLE webhook_deliveries (
    id              TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    webhook_id      TEXT COLLATE "C" NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE DEFERRABLE,
    event_id        TEXT COLLATE "C" REFERENCES events (id) ON DELETE CASCADE DEFERRABLE,
    event_type      TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'endpoint_disabled')),
    attempts        BIGINT NOT NULL DEFAULT 0,
    tries           BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    last_status     BIGINT,
    last_error      TEXT,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT
);

CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (event_id, webhook_id) WHERE event_id IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_creation ON webhook_deliveries (webhook_id, created_at, id);

CREATE TABLE webhook_attempts (
    delivery_id TEXT COLLATE "C" NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE DEFERRABLE,
    attempt     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status      BIGINT,
    error       TEXT,
    response    TEXT,
    PRIMARY KEY (delivery_id, attempt)
);
