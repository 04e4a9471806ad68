-- Who did what to what: a row for each write, in its transaction. Rows are never changed.
CREATE TABLE audit_log (
    id         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    at         BIGINT NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    action     TEXT COLLATE "C" NOT NULL,
    object_id  TEXT COLLATE "C" NOT NULL,
    detail     TEXT
);

CREATE INDEX audit_log_object ON audit_log (object_id, at);

CREATE FUNCTION audit_log_keeps_its_rows() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$;
CREATE TRIGGER audit_log_keeps_its_rows BEFORE UPDATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_keeps_its_rows();
