-- Versions: immutable, numbered from 1 without gaps.
CREATE TABLE versions (
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    prompt_id       TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    version         BIGINT NOT NULL,
    type            TEXT COLLATE "C" NOT NULL CHECK (type IN ('text', 'chat')),
    template_format TEXT COLLATE "C" NOT NULL,
    variables       JSON NOT NULL,
    input_schema    JSON NOT NULL,
    config          JSON NOT NULL,
    content         TEXT,
    messages        JSON,
    change_summary  TEXT,
    change_type     TEXT COLLATE "C" NOT NULL,
    content_hash    TEXT COLLATE "C" NOT NULL,
    created_by      TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, version),
    CHECK ((type = 'text' AND content IS NOT NULL AND messages IS NULL)
        OR (type = 'chat' AND content IS NULL AND messages IS NOT NULL))
);

CREATE FUNCTION versions_are_immutable() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'a version is never changed'; END $$;
CREATE TRIGGER versions_are_immutable BEFORE UPDATE ON versions
FOR EACH STATEMENT EXECUTE FUNCTION versions_are_immutable();

-- Labels: names that point at a version, and where they pointed before.
CREATE TABLE labels (
    prompt_id  TEXT COLLATE "C" NOT NULL,
    label      TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, label),
    FOREIGN KEY (prompt_id, version) REFERENCES versions (prompt_id, version) DEFERRABLE
);

CREATE INDEX labels_by_label ON labels (label, prompt_id);

CREATE TABLE label_moves (
    prompt_id    TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    sequence     BIGINT NOT NULL,
    label        TEXT COLLATE "C" NOT NULL,
    from_version BIGINT,
    to_version   BIGINT,
    reason       TEXT,
    moved_by     TEXT COLLATE "C" NOT NULL,
    moved_at     BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, sequence)
);
