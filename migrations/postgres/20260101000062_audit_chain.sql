-- Rows of the audit log are sealed one after the other: a seal is a hash of the row and of the seal before. What a row says
-- never changes, its place in the chain is given once, and none goes away. `state` is a hash of the object as it was left.
ALTER TABLE audit_log ADD COLUMN state TEXT COLLATE "C";
ALTER TABLE audit_log ADD COLUMN sequence BIGINT;
ALTER TABLE audit_log ADD COLUMN seal TEXT COLLATE "C";

CREATE UNIQUE INDEX audit_log_sequence ON audit_log (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_log_unsealed ON audit_log (id) WHERE sequence IS NULL;
CREATE INDEX audit_log_actor ON audit_log (actor, id);

-- The end of the chain, so that it shows when the last rows are missing.
CREATE TABLE audit_head (
    id       BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    sequence BIGINT NOT NULL,
    seal     TEXT COLLATE "C" NOT NULL
);

DROP TRIGGER audit_log_keeps_its_rows ON audit_log;
CREATE TRIGGER audit_log_keeps_its_rows BEFORE UPDATE ON audit_log FOR EACH ROW
WHEN (OLD.sequence IS NOT NULL
      OR (OLD.id, OLD.at, OLD.actor, OLD.request_id, OLD.action, OLD.object_id, OLD.detail, OLD.state)
         IS DISTINCT FROM (NEW.id, NEW.at, NEW.actor, NEW.request_id, NEW.action, NEW.object_id, NEW.detail, NEW.state))
EXECUTE FUNCTION audit_log_keeps_its_rows();
CREATE TRIGGER audit_log_loses_no_row BEFORE DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_keeps_its_rows();
