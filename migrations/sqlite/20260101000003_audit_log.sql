-- Who did what to what: a row for each write, in its transaction. Rows are never changed.
CREATE TABLE audit_log (
    id         TEXT PRIMARY KEY NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action     TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    detail     TEXT
) STRICT;

CREATE INDEX audit_log_object ON audit_log (object_id, at);

CREATE TRIGGER audit_log_keeps_its_rows BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
