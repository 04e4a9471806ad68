-- What hangs on what: a prompt, another, and how the first is related to the second.
CREATE TABLE relationships (
    id                TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    source_prompt_id  TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    target_prompt_id  TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    relationship_type TEXT COLLATE "C" NOT NULL,
    strength          DOUBLE PRECISION NOT NULL CHECK (strength BETWEEN 0 AND 1),
    metadata          JSON NOT NULL,
    created_by        TEXT COLLATE "C" NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    UNIQUE (source_prompt_id, target_prompt_id, relationship_type),
    CHECK (source_prompt_id <> target_prompt_id)
);

CREATE INDEX relationships_by_target ON relationships (target_prompt_id, source_prompt_id);
