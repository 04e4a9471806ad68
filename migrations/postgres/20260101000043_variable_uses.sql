-- What variables were filled with: how often, how often with nothing, and how often more with one value than with any other.
CREATE TABLE variable_uses (
    prompt_id  TEXT COLLATE "C" NOT NULL,
    version    BIGINT NOT NULL,
    variable   TEXT COLLATE "C" NOT NULL,
    renders    BIGINT NOT NULL,
    empty      BIGINT NOT NULL,
    value_hash BIGINT NOT NULL,
    lead       BIGINT NOT NULL,
    PRIMARY KEY (prompt_id, version, variable)
);
