-- Refinements: what was asked for, and what became of it.
CREATE TABLE refinements (
    id               TEXT COLLATE "C" PRIMARY KEY,
    prompt_id        TEXT COLLATE "C" NOT NULL,
    base_version     BIGINT NOT NULL,
    parent_id        TEXT COLLATE "C" REFERENCES refinements (id) DEFERRABLE,
    status           TEXT COLLATE "C" NOT NULL CHECK (status IN ('processing', 'completed', 'failed', 'applied')),
    llm_service      TEXT COLLATE "C" NOT NULL,
    model            TEXT COLLATE "C",
    instructions     TEXT COLLATE "C" NOT NULL,
    context          JSON NOT NULL,
    user_id          TEXT COLLATE "C",
    error_code       TEXT COLLATE "C",
    error_detail     TEXT COLLATE "C",
    spent_nanos      BIGINT NOT NULL DEFAULT 0,
    document_id      TEXT COLLATE "C" NOT NULL,
    document_version BIGINT,
    applied_version  BIGINT,
    created_by       TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT NOT NULL,
    finished_at      BIGINT,
    applied_at       BIGINT
);

CREATE INDEX refinements_newest ON refinements (created_at, id);
CREATE INDEX refinements_of_prompt ON refinements (prompt_id, created_at, id);
CREATE INDEX refinements_of_user ON refinements (user_id, created_at, id) WHERE user_id IS NOT NULL;

-- The calls made for them. A call is written down before it is made, and its answer before it is used.
CREATE TABLE refinement_calls (
    refinement_id TEXT COLLATE "C" NOT NULL REFERENCES refinements (id) DEFERRABLE,
    number        BIGINT NOT NULL,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('asked', 'answered', 'failed')),
    error_code    TEXT COLLATE "C",
    answer        JSON,
    input_tokens  BIGINT,
    output_tokens BIGINT,
    cost_nanos    BIGINT NOT NULL,
    asked_at      BIGINT NOT NULL,
    ended_at      BIGINT,
    PRIMARY KEY (refinement_id, number)
);

-- What was spent on a day.
CREATE TABLE refinement_days (
    day         BIGINT PRIMARY KEY,
    spent_nanos BIGINT NOT NULL
);

-- What refinements led to. Refining a result further makes the next version of its document.
CREATE TABLE documents (
    id            TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    refinement_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES refinements (id) DEFERRABLE,
    prompt_id     TEXT COLLATE "C" NOT NULL,
    title         TEXT COLLATE "C" NOT NULL,
    report        TEXT COLLATE "C" NOT NULL,
    result        JSON NOT NULL,
    created_at    BIGINT NOT NULL,
    stored_at     BIGINT,
    PRIMARY KEY (id, version)
);

CREATE INDEX documents_newest ON documents (created_at, id, version);
CREATE INDEX documents_of_prompt ON documents (prompt_id, created_at, id, version);
