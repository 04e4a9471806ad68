-- What hangs on what: a prompt, another, and how the first is related to the second.
CREATE TABLE relationships (
    id                TEXT PRIMARY KEY NOT NULL,
    source_prompt_id  TEXT NOT NULL REFERENCES prompts (id),
    target_prompt_id  TEXT NOT NULL REFERENCES prompts (id),
    relationship_type TEXT NOT NULL,
    strength          REAL NOT NULL CHECK (strength BETWEEN 0 AND 1),
    metadata          TEXT NOT NULL,
    created_by        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (source_prompt_id, target_prompt_id, relationship_type),
    CHECK (source_prompt_id <> target_prompt_id)
) STRICT;

CREATE INDEX relationships_by_target ON relationships (target_prompt_id, source_prompt_id);
