//! How the ledger takes jobs on `PostgreSQL`. A row that another transaction has in its hands is passed over: its
//! job is being claimed, held or settled at this moment, and if that transaction is a lost worker's, nobody waits
//! for the server to find out.

pub(super) const CLAIM: &str = "UPDATE jobs SET state = 'running', fence = fence + 1, claims = claims + 1,
                                       run_at = $3 + CASE claims WHEN 1 THEN $4 ELSE 0 END
                                WHERE id = (SELECT id FROM jobs
                                            WHERE id = $1 AND state IN ('available', 'running') AND run_at <= $2
                                            FOR UPDATE SKIP LOCKED)
                                RETURNING id, queue, request_id, payload, fence, attempts, claims";

pub(super) const TAKE_DUE: &str = "UPDATE jobs SET rung_at = $2 WHERE id IN
                                   (SELECT id FROM jobs
                                    WHERE queue = $1 AND state IN ('available', 'running') AND run_at <= $2
                                      AND (rung_at IS NULL OR rung_at < run_at OR rung_at <= $3)
                                    ORDER BY run_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
                                   RETURNING id";
