-- A/B tests: the plan is fixed when a test is made; what may change while it runs stands beside it.
CREATE TABLE ab_tests (
    id               TEXT COLLATE "C" PRIMARY KEY,
    name             TEXT COLLATE "C" NOT NULL,
    status           TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'running', 'paused', 'completed')),
    plan             JSON NOT NULL,
    salt             TEXT COLLATE "C" NOT NULL,
    behind_prompt_id TEXT COLLATE "C",
    behind_label     TEXT COLLATE "C",
    phase            BIGINT NOT NULL,
    coverage_bp      BIGINT NOT NULL,
    weights_bp       JSON NOT NULL,
    result           TEXT COLLATE "C",
    winner           TEXT COLLATE "C",
    created_by       TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    started_at       BIGINT,
    ended_at         BIGINT,
    evaluated_at     BIGINT NOT NULL
);

CREATE INDEX ab_tests_newest ON ab_tests (created_at, id);

-- Of a label, one test at most decides what is served.
CREATE UNIQUE INDEX ab_tests_behind ON ab_tests (behind_prompt_id, behind_label)
    WHERE behind_label IS NOT NULL AND status <> 'completed';

CREATE INDEX ab_tests_to_evaluate ON ab_tests (evaluated_at) WHERE status = 'running';

-- How traffic was dealt, and since when.
CREATE TABLE ab_phases (
    test_id     TEXT COLLATE "C" NOT NULL REFERENCES ab_tests (id) DEFERRABLE,
    phase       BIGINT NOT NULL,
    coverage_bp BIGINT NOT NULL,
    weights_bp  JSON NOT NULL,
    began_at    BIGINT NOT NULL,
    PRIMARY KEY (test_id, phase)
);

-- Which arm a unit was first shown. It keeps that arm, whatever becomes of the weights.
CREATE TABLE ab_assignments (
    test_id    TEXT COLLATE "C" NOT NULL REFERENCES ab_tests (id) DEFERRABLE,
    unit_id    TEXT COLLATE "C" NOT NULL,
    variant    BIGINT NOT NULL,
    phase      BIGINT NOT NULL,
    exposed_at BIGINT NOT NULL,
    in_two     BIGINT NOT NULL DEFAULT 0 CHECK (in_two IN (0, 1)),
    PRIMARY KEY (test_id, unit_id)
);

-- What was observed of a unit: how often, and the sum. A row may come before its assignment.
CREATE TABLE ab_observations (
    test_id TEXT COLLATE "C" NOT NULL REFERENCES ab_tests (id) DEFERRABLE,
    metric  TEXT COLLATE "C" NOT NULL,
    unit_id TEXT COLLATE "C" NOT NULL,
    n       BIGINT NOT NULL,
    total   DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (test_id, metric, unit_id)
);

-- What every evaluation found: the audit trail of a decision, and its plot.
CREATE TABLE ab_evaluations (
    test_id  TEXT COLLATE "C" NOT NULL REFERENCES ab_tests (id) DEFERRABLE,
    at       BIGINT NOT NULL,
    units    BIGINT NOT NULL,
    running  JSON NOT NULL,
    decision JSON NOT NULL,
    PRIMARY KEY (test_id, at)
);
