-- What variables were filled with: how often, how often with nothing, and how often more with one value than with any other.
CREATE TABLE variable_uses (
    prompt_id  TEXT NOT NULL,
    version    INTEGER NOT NULL,
    variable   TEXT NOT NULL,
    renders    INTEGER NOT NULL,
    empty      INTEGER NOT NULL,
    value_hash INTEGER NOT NULL,
    lead       INTEGER NOT NULL,
    PRIMARY KEY (prompt_id, version, variable)
) STRICT, WITHOUT ROWID;
