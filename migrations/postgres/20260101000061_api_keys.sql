-- Keys of the API. Of a key itself only a digest is kept (HMAC-SHA256 by the key of the store).
CREATE TABLE api_keys (
    id            TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    digest        TEXT COLLATE "C" NOT NULL,
    scopes        JSON NOT NULL,
    folders       JSON NOT NULL,
    labels        JSON NOT NULL,
    default_label TEXT COLLATE "C",
    created_by    TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    revoked_at    BIGINT,
    last_used_at  BIGINT,
    replaces      TEXT COLLATE "C" REFERENCES api_keys (id) DEFERRABLE
);
