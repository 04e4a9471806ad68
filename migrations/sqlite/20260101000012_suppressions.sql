-- The rules that do not count for a prompt, and why.
CREATE TABLE suppressions (
    prompt_id     TEXT NOT NULL REFERENCES prompts (id),
    rule          TEXT NOT NULL,
    reason        TEXT NOT NULL,
    suppressed_by TEXT NOT NULL,
    suppressed_at INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, rule)
) STRICT, WITHOUT ROWID;
