-- A/B tests: the plan is fixed when a test is made; what may change while it runs stands beside it.
CREATE TABLE ab_tests (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('draft', 'running', 'paused', 'completed')),
    plan             TEXT NOT NULL,
    salt             TEXT NOT NULL,
    behind_prompt_id TEXT,
    behind_label     TEXT,
    phase            INTEGER NOT NULL,
    coverage_bp      INTEGER NOT NULL,
    weights_bp       TEXT NOT NULL,
    result           TEXT,
    winner           TEXT,
    created_by       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    started_at       INTEGER,
    ended_at         INTEGER,
    evaluated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ab_tests_newest ON ab_tests (created_at, id);

-- Of a label, one test at most decides what is served.
CREATE UNIQUE INDEX ab_tests_behind ON ab_tests (behind_prompt_id, behind_label)
    WHERE behind_label IS NOT NULL AND status <> 'completed';

CREATE INDEX ab_tests_to_evaluate ON ab_tests (evaluated_at) WHERE status = 'running';

-- How traffic was dealt, and since when.
CREATE TABLE ab_phases (
    test_id     TEXT NOT NULL REFERENCES ab_tests (id),
    phase       INTEGER NOT NULL,
    coverage_bp INTEGER NOT NULL,
    weights_bp  TEXT NOT NULL,
    began_at    INTEGER NOT NULL,
    PRIMARY KEY (test_id, phase)
) STRICT, WITHOUT ROWID;

-- Which arm a unit was first shown. It keeps that arm, whatever becomes of the weights.
CREATE TABLE ab_assignments (
    test_id    TEXT NOT NULL REFERENCES ab_tests (id),
    unit_id    TEXT NOT NULL,
    variant    INTEGER NOT NULL,
    phase      INTEGER NOT NULL,
    exposed_at INTEGER NOT NULL,
    in_two     INTEGER NOT NULL DEFAULT 0 CHECK (in_two IN (0, 1)),
    PRIMARY KEY (test_id, unit_id)
) STRICT, WITHOUT ROWID;

-- What was observed of a unit: how often, and the sum. A row may come before its assignment.
CREATE TABLE ab_observations (
    test_id TEXT NOT NULL REFERENCES ab_tests (id),
    metric  TEXT NOT NULL,
    unit_id TEXT NOT NULL,
    n       INTEGER NOT NULL,
    total   REAL NOT NULL,
    PRIMARY KEY (test_id, metric, unit_id)
) STRICT, WITHOUT ROWID;

-- What every evaluation found: the audit trail of a decision, and its plot.
CREATE TABLE ab_evaluations (
    test_id  TEXT NOT NULL REFERENCES ab_tests (id),
    at       INTEGER NOT NULL,
    units    INTEGER NOT NULL,
    running  TEXT NOT NULL,
    decision TEXT NOT NULL,
    PRIMARY KEY (test_id, at)
) STRICT, WITHOUT ROWID;
