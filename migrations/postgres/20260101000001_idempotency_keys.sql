-- The same request, sent twice, has one effect: its key, what was asked, and what was answered.
CREATE TABLE idempotency_keys (
    actor       TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    answer      TEXT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
