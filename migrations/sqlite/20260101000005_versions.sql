-- Versions: immutable, numbered from 1 without gaps.
CREATE TABLE versions (
    id              TEXT NOT NULL UNIQUE,
    prompt_id       TEXT NOT NULL REFERENCES prompts (id),
    version         INTEGER NOT NULL,
    type            TEXT NOT NULL CHECK (type IN ('text', 'chat')),
    template_format TEXT NOT NULL,
    variables       TEXT NOT NULL,
    input_schema    TEXT NOT NULL,
    config          TEXT NOT NULL,
    content         TEXT,
    messages        TEXT,
    change_summary  TEXT,
    change_type     TEXT NOT NULL,
    content_hash    TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, version),
    CHECK ((type = 'text' AND content IS NOT NULL AND messages IS NULL)
        OR (type = 'chat' AND content IS NULL AND messages IS NOT NULL))
) STRICT;

CREATE TRIGGER versions_are_immutable BEFORE UPDATE ON versions
BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END;

-- Labels: names that point at a version, and where they pointed before.
CREATE TABLE labels (
    prompt_id  TEXT NOT NULL,
    label      TEXT NOT NULL,
    version    INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, label),
    FOREIGN KEY (prompt_id, version) REFERENCES versions (prompt_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX labels_by_label ON labels (label, prompt_id);

CREATE TABLE label_moves (
    prompt_id    TEXT NOT NULL REFERENCES prompts (id),
    sequence     INTEGER NOT NULL,
    label        TEXT NOT NULL,
    from_version INTEGER,
    to_version   INTEGER,
    reason       TEXT,
    moved_by     TEXT NOT NULL,
    moved_at     INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, sequence)
) STRICT, WITHOUT ROWID;
