-- The rules that do not count for a prompt, and why.
CREATE TABLE suppressions (
    prompt_id     TEXT COLLATE "C" NOT NULL REFERENCES prompts (id) DEFERRABLE,
    rule          TEXT COLLATE "C" NOT NULL,
    reason        TEXT NOT NULL,
    suppressed_by TEXT COLLATE "C" NOT NULL,
    suppressed_at BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, rule)
);
