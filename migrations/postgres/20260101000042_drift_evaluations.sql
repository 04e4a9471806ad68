-- How versions did in use, found anew every day.
CREATE TABLE drift_evaluations (
    prompt_id TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    status    TEXT COLLATE "C" NOT NULL CHECK (status IN ('stable', 'warning', 'drift', 'insufficient_data')),
    found     JSON NOT NULL,
    PRIMARY KEY (prompt_id, version, day)
);

CREATE INDEX drift_evaluations_age ON drift_evaluations (day, prompt_id);

-- The days on which every prompt in use was looked at.
CREATE TABLE drift_days (
    day BIGINT PRIMARY KEY
);

-- What is remembered of the stream of a version's events, to tell at once when it moves.
CREATE TABLE usage_pulses (
    prompt_id TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    pulse     JSON NOT NULL,
    PRIMARY KEY (prompt_id, version)
);

-- A time that later ones are compared with, in the place of a version's first days.
ALTER TABLE drift_baselines ADD COLUMN reference_from BIGINT;
ALTER TABLE drift_baselines ADD COLUMN reference_to BIGINT;
