-- Many prompts at once: the operation and each of its items.
CREATE TABLE bulk_operations (
    id               TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    operation_type   TEXT COLLATE "C" NOT NULL,
    status           TEXT COLLATE "C" NOT NULL,
    on_conflict      TEXT COLLATE "C" NOT NULL,
    dry_run          BOOLEAN NOT NULL,
    total_items      BIGINT NOT NULL,
    successful_items BIGINT NOT NULL DEFAULT 0,
    skipped_items    BIGINT NOT NULL DEFAULT 0,
    failed_items     BIGINT NOT NULL DEFAULT 0,
    error            TEXT,
    created_by       TEXT COLLATE "C" NOT NULL,
    request_id       TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT
);

CREATE INDEX bulk_operations_by_creation ON bulk_operations (created_at, id);

CREATE TABLE bulk_items (
    operation_id TEXT COLLATE "C" NOT NULL REFERENCES bulk_operations (id) DEFERRABLE,
    item         BIGINT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'skipped', 'failed')),
    payload      JSON,
    duplicate_of BIGINT,
    prompt_id    TEXT COLLATE "C",
    code         TEXT COLLATE "C",
    detail       TEXT,
    PRIMARY KEY (operation_id, item)
);

CREATE INDEX bulk_items_by_state ON bulk_items (operation_id, state, item);
