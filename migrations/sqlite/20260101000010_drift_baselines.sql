-- The version that later ones are compared with, where somebody has chosen one.
CREATE TABLE drift_baselines (
    prompt_id TEXT PRIMARY KEY NOT NULL REFERENCES prompts (id),
    version   INTEGER NOT NULL,
    pinned_by TEXT NOT NULL,
    pinned_at INTEGER NOT NULL
) STRICT;
