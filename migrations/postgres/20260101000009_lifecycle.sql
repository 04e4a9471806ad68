-- Where prompts stand in their life, since when, and how they came there.
ALTER TABLE prompts ADD COLUMN status_changed_at BIGINT;
ALTER TABLE prompts ADD COLUMN sunset_at BIGINT;
ALTER TABLE prompts ADD COLUMN successor_id TEXT COLLATE "C" REFERENCES prompts (id) DEFERRABLE;

CREATE INDEX prompts_by_status ON prompts (lifecycle_status, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE lifecycle_changes (
    prompt_id    TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    sequence     BIGINT NOT NULL,
    from_status  TEXT COLLATE "C" NOT NULL,
    to_status    TEXT COLLATE "C" NOT NULL,
    version      BIGINT NOT NULL,
    reason       TEXT,
    sunset_at    BIGINT,
    successor_id TEXT COLLATE "C" REFERENCES prompts (id) DEFERRABLE,
    changed_by   TEXT COLLATE "C" NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, sequence)
);
