-- Which secret the store belongs to: a fingerprint of it, in one row. Without that secret no key of the API can be checked, and no
-- secret of a webhook can be read.
CREATE TABLE store_secret (
    id          INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    fingerprint TEXT NOT NULL,
    since       INTEGER NOT NULL
) STRICT;
