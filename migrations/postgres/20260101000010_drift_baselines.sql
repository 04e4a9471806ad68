-- The version that later ones are compared with, where somebody has chosen one.
CREATE TABLE drift_baselines (
    prompt_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES prompts (id) DEFERRABLE,
    version   BIGINT NOT NULL,
    pinned_by TEXT COLLATE "C" NOT NULL,
    pinned_at BIGINT NOT NULL
);
