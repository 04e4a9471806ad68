-- Many prompts at once: the operation and each of its items.
CREATE TABLE bulk_operations (
    id               TEXT PRIMARY KEY NOT NULL,
    operation_type   TEXT NOT NULL,
    status           TEXT NOT NULL,
    on_conflict      TEXT NOT NULL,
    dry_run          INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    total_items      INTEGER NOT NULL,
    successful_items INTEGER NOT NULL DEFAULT 0,
    skipped_items    INTEGER NOT NULL DEFAULT 0,
    failed_items     INTEGER NOT NULL DEFAULT 0,
    error            TEXT,
    created_by       TEXT NOT NULL,
    request_id       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER
) STRICT;

CREATE INDEX bulk_operations_by_creation ON bulk_operations (created_at, id);

CREATE TABLE bulk_items (
    operation_id TEXT NOT NULL REFERENCES bulk_operations (id),
    item         INTEGER NOT NULL,
    state        TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'skipped', 'failed')),
    payload      TEXT,
    duplicate_of INTEGER,
    prompt_id    TEXT,
    code         TEXT,
    detail       TEXT,
    PRIMARY KEY (operation_id, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX bulk_items_by_state ON bulk_items (operation_id, state, item);
