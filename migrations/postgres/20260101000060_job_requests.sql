-- The request that a job was ordered by, for the log, traces and the audit of what is done for it.
ALTER TABLE jobs ADD COLUMN request_id TEXT NOT NULL DEFAULT '-';
