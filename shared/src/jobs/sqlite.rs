//! How the ledger takes jobs on `SQLite`, where one transaction writes at a time.

pub(super) const CLAIM: &str = "UPDATE jobs SET state = 'running', fence = fence + 1, claims = claims + 1,
                                       run_at = $3 + CASE claims WHEN 1 THEN $4 ELSE 0 END
                                WHERE id = $1 AND state IN ('available', 'running') AND run_at <= $2
                                RETURNING id, queue, request_id, payload, fence, attempts, claims";

pub(super) const TAKE_DUE: &str = "UPDATE jobs SET rung_at = $2 WHERE id IN
                                   (SELECT id FROM jobs
                                    WHERE queue = $1 AND state IN ('available', 'running') AND run_at <= $2
                                      AND (rung_at IS NULL OR rung_at < run_at OR rung_at <= $3)
                                    ORDER BY run_at, id LIMIT $4)
                                   RETURNING id";
