-- Prompts: what stays the same, or changes without making a version.
CREATE TABLE prompts (
    id               TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    category         TEXT COLLATE "C" NOT NULL,
    name             TEXT COLLATE "C" NOT NULL,
    description      TEXT,
    is_template      BOOLEAN NOT NULL,
    lifecycle_status TEXT COLLATE "C" NOT NULL DEFAULT 'draft',
    parent_id        TEXT COLLATE "C" REFERENCES prompts (id) DEFERRABLE,
    parent_version   BIGINT,
    version          BIGINT NOT NULL,
    revision         BIGINT NOT NULL,
    created_by       TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    deleted_at       BIGINT
);

-- A deleted name can be used again.
CREATE UNIQUE INDEX prompts_name ON prompts (category, name) WHERE deleted_at IS NULL;
CREATE INDEX prompts_by_name ON prompts (name, id);
CREATE INDEX prompts_by_creation ON prompts (created_at, id);
CREATE INDEX prompts_by_update ON prompts (updated_at, id);

CREATE TABLE prompt_tags (
    prompt_id TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    position  BIGINT NOT NULL,
    tag       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (prompt_id, position)
);

CREATE UNIQUE INDEX prompt_tags_by_tag ON prompt_tags (tag, prompt_id);
