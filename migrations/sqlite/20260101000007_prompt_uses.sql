-- How often each version of a prompt was served by name. Written every second or so, many reads at once.
CREATE TABLE prompt_uses (
    prompt_id    TEXT NOT NULL REFERENCES prompts (id),
    version      INTEGER NOT NULL,
    uses         INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, version)
) STRICT, WITHOUT ROWID;
