-- Rows of the audit log are sealed one after the other: a seal is a hash of the row and of the seal before. What a row says
-- never changes, its place in the chain is given once, and none goes away. `state` is a hash of the object as it was left.
ALTER TABLE audit_log ADD COLUMN state TEXT;
ALTER TABLE audit_log ADD COLUMN sequence INTEGER;
ALTER TABLE audit_log ADD COLUMN seal TEXT;

CREATE UNIQUE INDEX audit_log_sequence ON audit_log (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_log_unsealed ON audit_log (id) WHERE sequence IS NULL;
CREATE INDEX audit_log_actor ON audit_log (actor, id);

-- The end of the chain, so that it shows when the last rows are missing.
CREATE TABLE audit_head (
    id       INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    sequence INTEGER NOT NULL,
    seal     TEXT NOT NULL
) STRICT;

DROP TRIGGER audit_log_keeps_its_rows;
CREATE TRIGGER audit_log_keeps_its_rows BEFORE UPDATE ON audit_log
WHEN OLD.sequence IS NOT NULL
  OR (OLD.id, OLD.at, OLD.actor, OLD.request_id, OLD.action, OLD.object_id, OLD.detail, OLD.state)
     IS NOT (NEW.id, NEW.at, NEW.actor, NEW.request_id, NEW.action, NEW.object_id, NEW.detail, NEW.state)
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_log_loses_no_row BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
