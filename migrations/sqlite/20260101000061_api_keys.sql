-- Keys of the API. Of a key itself only a digest is kept (HMAC-SHA256 by the key of the store).
CREATE TABLE api_keys (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    digest        TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    folders       TEXT NOT NULL,
    labels        TEXT NOT NULL,
    default_label TEXT,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER,
    replaces      TEXT REFERENCES api_keys (id)
) STRICT;
