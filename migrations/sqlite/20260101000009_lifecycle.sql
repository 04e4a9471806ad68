-- Where prompts stand in their life, since when, and how they came there.
ALTER TABLE prompts ADD COLUMN status_changed_at INTEGER;
ALTER TABLE prompts ADD COLUMN sunset_at INTEGER;
ALTER TABLE prompts ADD COLUMN successor_id TEXT REFERENCES prompts (id);

CREATE INDEX prompts_by_status ON prompts (lifecycle_status, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE lifecycle_changes (
    prompt_id    TEXT NOT NULL REFERENCES prompts (id),
    sequence     INTEGER NOT NULL,
    from_status  TEXT NOT NULL,
    to_status    TEXT NOT NULL,
    version      INTEGER NOT NULL,
    reason       TEXT,
    sunset_at    INTEGER,
    successor_id TEXT REFERENCES prompts (id),
    changed_by   TEXT NOT NULL,
    changed_at   INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, sequence)
) STRICT, WITHOUT ROWID;
