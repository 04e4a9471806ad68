-- Prompts: what stays the same, or changes without making a version.
CREATE TABLE prompts (
    id               TEXT PRIMARY KEY NOT NULL,
    category         TEXT NOT NULL,
    name             TEXT NOT NULL,
    description      TEXT,
    is_template      INTEGER NOT NULL CHECK (is_template IN (0, 1)),
    lifecycle_status TEXT NOT NULL DEFAULT 'draft',
    parent_id        TEXT REFERENCES prompts (id),
    parent_version   INTEGER,
    version          INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    created_by       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    deleted_at       INTEGER
) STRICT;

-- A deleted name can be used again.
CREATE UNIQUE INDEX prompts_name ON prompts (category, name) WHERE deleted_at IS NULL;
CREATE INDEX prompts_by_name ON prompts (name, id);
CREATE INDEX prompts_by_creation ON prompts (created_at, id);
CREATE INDEX prompts_by_update ON prompts (updated_at, id);

CREATE TABLE prompt_tags (
    prompt_id TEXT NOT NULL REFERENCES prompts (id),
    position  INTEGER NOT NULL,
    tag       TEXT NOT NULL,
    PRIMARY KEY (prompt_id, position)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX prompt_tags_by_tag ON prompt_tags (tag, prompt_id);
