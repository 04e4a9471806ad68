-- Refinements: what was asked for, and what became of it.
CREATE TABLE refinements (
    id               TEXT PRIMARY KEY NOT NULL,
    prompt_id        TEXT NOT NULL,
    base_version     INTEGER NOT NULL,
    parent_id        TEXT REFERENCES refinements (id),
    status           TEXT NOT NULL CHECK (status IN ('processing', 'completed', 'failed', 'applied')),
    llm_service      TEXT NOT NULL,
    model            TEXT,
    instructions     TEXT NOT NULL,
    context          TEXT NOT NULL,
    user_id          TEXT,
    error_code       TEXT,
    error_detail     TEXT,
    spent_nanos      INTEGER NOT NULL DEFAULT 0,
    document_id      TEXT NOT NULL,
    document_version INTEGER,
    applied_version  INTEGER,
    created_by       TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    finished_at      INTEGER,
    applied_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refinements_newest ON refinements (created_at, id);
CREATE INDEX refinements_of_prompt ON refinements (prompt_id, created_at, id);
CREATE INDEX refinements_of_user ON refinements (user_id, created_at, id) WHERE user_id IS NOT NULL;

-- The calls made for them. A call is written down before it is made, and its answer before it is used.
CREATE TABLE refinement_calls (
    refinement_id TEXT NOT NULL REFERENCES refinements (id),
    number        INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('asked', 'answered', 'failed')),
    error_code    TEXT,
    answer        TEXT,
    input_tokens  INTEGER,
    output_tokens INTEGER,
    cost_nanos    INTEGER NOT NULL,
    asked_at      INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (refinement_id, number)
) STRICT, WITHOUT ROWID;

-- What was spent on a day.
CREATE TABLE refinement_days (
    day         INTEGER PRIMARY KEY NOT NULL,
    spent_nanos INTEGER NOT NULL
) STRICT;

-- What refinements led to. Refining a result further makes the next version of its document.
CREATE TABLE documents (
    id            TEXT NOT NULL,
    version       INTEGER NOT NULL,
    refinement_id TEXT NOT NULL UNIQUE REFERENCES refinements (id),
    prompt_id     TEXT NOT NULL,
    title         TEXT NOT NULL,
    report        TEXT NOT NULL,
    result        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    stored_at     INTEGER,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX documents_newest ON documents (created_at, id, version);
CREATE INDEX documents_of_prompt ON documents (prompt_id, created_at, id, version);
