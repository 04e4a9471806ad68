-- How versions did in use, found anew every day.
CREATE TABLE drift_evaluations (
    prompt_id TEXT NOT NULL,
    version   INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    status    TEXT NOT NULL CHECK (status IN ('stable', 'warning', 'drift', 'insufficient_data')),
    found     TEXT NOT NULL,
    PRIMARY KEY (prompt_id, version, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX drift_evaluations_age ON drift_evaluations (day, prompt_id);

-- The days on which every prompt in use was looked at.
CREATE TABLE drift_days (
    day INTEGER PRIMARY KEY
) STRICT;

-- What is remembered of the stream of a version's events, to tell at once when it moves.
CREATE TABLE usage_pulses (
    prompt_id TEXT NOT NULL,
    version   INTEGER NOT NULL,
    pulse     TEXT NOT NULL,
    PRIMARY KEY (prompt_id, version)
) STRICT, WITHOUT ROWID;

-- A time that later ones are compared with, in the place of a version's first days.
ALTER TABLE drift_baselines ADD COLUMN reference_from INTEGER;
ALTER TABLE drift_baselines ADD COLUMN reference_to INTEGER;
