-- Which workers live: each says so every few seconds.
CREATE TABLE workers (
    instance   TEXT PRIMARY KEY NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;
