-- How often each version of a prompt was served by name. Written every second or so, many reads at once.
CREATE TABLE prompt_uses (
    prompt_id    TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    version      BIGINT NOT NULL,
    uses         BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, version)
);
