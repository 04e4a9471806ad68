-- Which workers live: each says so every few seconds.
CREATE TABLE workers (
    instance   TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
