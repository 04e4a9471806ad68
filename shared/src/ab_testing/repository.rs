//! The tables `ab_tests`, `ab_phases`, `ab_assignments`, `ab_observations` and `ab_evaluations`.
use futures::TryStreamExt;

use super::{AbTestStatus, exposures::Exposure, model::TestRow, observations::Observation};
use crate::{
    clock::Timestamp,
    db::{Conn, FromRow, Json, Query, Tx, params, portions},
    error::Result,
    id::{AbTestId, PromptId},
    page::{PageRequest, Position},
};

const INSERT: &str = "INSERT INTO ab_tests (id, name, status, plan, salt, behind_prompt_id, behind_label, phase,
                                            coverage_bp, weights_bp, created_by, created_at, updated_at, started_at,
                                            evaluated_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $12)
                      ON CONFLICT DO NOTHING";

/// Answers whether no other test is behind its label.
pub(super) async fn insert(tx: &mut Tx, row: &TestRow) -> Result<bool> {
    let values = params![
        row.id,
        row.name,
        row.status,
        row.plan,
        row.salt,
        row.behind_prompt_id,
        row.behind_label,
        row.phase,
        row.coverage_bp,
        row.weights_bp,
        row.created_by,
        row.created_at,
        row.started_at
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

const INSERT_PHASE: &str = "INSERT INTO ab_phases (test_id, phase, coverage_bp, weights_bp, began_at)
                            VALUES ($1, $2, $3, $4, $5)";

/// Writes down how traffic is dealt from now on.
pub(super) async fn insert_phase(tx: &mut Tx, row: &TestRow, now: Timestamp) -> Result<()> {
    tx.execute(INSERT_PHASE, params![row.id, row.phase, row.coverage_bp, row.weights_bp, now]).await.map(drop)
}

const UPDATE: &str = "UPDATE ab_tests SET name = $2, status = $3, phase = $4, coverage_bp = $5, weights_bp = $6,
                             result = $7, winner = $8, updated_at = $9, started_at = $10, ended_at = $11,
                             evaluated_at = $12, note = $13
                      WHERE id = $1";

/// Makes a test that the transaction holds be as it is given.
pub(super) async fn update(tx: &mut Tx, row: &TestRow) -> Result<()> {
    let values = params![
        row.id,
        row.name,
        row.status,
        row.phase,
        row.coverage_bp,
        row.weights_bp,
        row.result,
        row.winner,
        row.updated_at,
        row.started_at,
        row.ended_at,
        row.evaluated_at,
        row.note
    ];
    tx.execute(UPDATE, values).await.map(drop)
}

const PUT_OFF: &str = "UPDATE ab_tests SET evaluated_at = $2, note = $3 WHERE id = $1 AND status = 'running'";

/// A running test counts as looked at, so that others have their turn.
pub(super) async fn put_off(tx: &mut Tx, id: AbTestId, now: Timestamp, note: &str) -> Result<()> {
    tx.execute(PUT_OFF, params![id, now, note]).await.map(drop)
}

const LOCK: &str = "UPDATE ab_tests SET phase = phase WHERE id = $1";
const FIND: &str = "SELECT * FROM ab_tests WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: AbTestId) -> Result<Option<TestRow>> {
    conn.fetch_optional(FIND, params![id]).await
}

/// A test that nobody else writes to until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: AbTestId) -> Result<Option<TestRow>> {
    match tx.execute(LOCK, params![id]).await? {
        0 => Ok(None),
        _ => find(tx, id).await,
    }
}

const FIND_BEHIND: &str = "SELECT * FROM ab_tests
                           WHERE behind_prompt_id = $1 AND behind_label = $2 AND status <> 'completed'
                             AND behind_label IS NOT NULL";

/// The test behind a label, unless it is over.
pub(super) async fn find_behind(conn: &mut Conn, prompt_id: PromptId, label: &str) -> Result<Option<TestRow>> {
    conn.fetch_optional(FIND_BEHIND, params![prompt_id, label]).await
}

/// Tests, the newest first, and how many there are.
pub(super) async fn list(
    conn: &mut Conn,
    status: Option<AbTestStatus>,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<TestRow>, i64)> {
    let counted = Query::new("SELECT count(*) FROM ab_tests WHERE TRUE").and("status = ?", &status);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (most, offset) = (request.limit_and_one(), request.offset());
    let mut query = Query::new("SELECT * FROM ab_tests WHERE TRUE").and("status = ?", &status);
    if let Some(after) = after {
        query = query.then("AND (created_at, id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[&most, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const ASSIGNED: &str = "SELECT variant FROM ab_assignments WHERE test_id = $1 AND unit_id = $2";

/// The arm that a unit was first shown.
pub(super) async fn assigned(conn: &mut Conn, test_id: AbTestId, unit_id: &str) -> Result<Option<i64>> {
    let found: Option<(i64,)> = conn.fetch_optional(ASSIGNED, params![test_id, unit_id]).await?;
    Ok(found.map(|(variant,)| variant))
}

const EXPOSE_FIRST: &str = "INSERT INTO ab_assignments (test_id, unit_id, variant, phase, exposed_at)
                            VALUES ($1, $2, $3, $4, $5)
                            ON CONFLICT (test_id, unit_id) DO UPDATE SET variant = ab_assignments.variant
                            RETURNING variant";

/// Writes down an exposure, unless there is one. Answers the arm the unit has.
pub(super) async fn expose_first(tx: &mut Tx, it: &Exposure) -> Result<i64> {
    let row = params![it.test_id, it.unit_id, it.variant, it.phase, it.at];
    let (variant,) = tx.fetch_one(EXPOSE_FIRST, row).await?;
    Ok(variant)
}

/// Writes down exposures that others tell of. Who was exposed before keeps its arm; if that is another arm, it was in two.
pub(super) async fn expose(tx: &mut Tx, exposures: &[Exposure]) -> Result<()> {
    let start = "INSERT INTO ab_assignments (test_id, unit_id, variant, phase, exposed_at) VALUES";
    let end = "ON CONFLICT (test_id, unit_id) DO UPDATE SET in_two = 1
                   WHERE ab_assignments.variant <> excluded.variant";
    for rows in portions(exposures) {
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?)", rows, |it| vec![&it.test_id, &it.unit_id, &it.variant, &it.phase, &it.at])
            .then(end, params![]);
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

/// Adds to what was observed of units. Each unit and metric stands once among them.
pub(super) async fn observe(tx: &mut Tx, observations: &[Observation]) -> Result<()> {
    let start = "INSERT INTO ab_observations (test_id, metric, unit_id, n, total) VALUES";
    let end = "ON CONFLICT (test_id, metric, unit_id)
                   DO UPDATE SET n = ab_observations.n + excluded.n, total = ab_observations.total + excluded.total";
    for rows in portions(observations) {
        let query = Query::new(start)
            .rows("(?, ?, ?, ?, ?)", rows, |it| vec![&it.test_id, &it.metric, &it.unit_id, &it.n, &it.total])
            .then(end, params![]);
        tx.execute(&query, query.params()).await?;
    }
    Ok(())
}

const UNITS: &str = "SELECT phase, variant, CAST(count(*) AS BIGINT), CAST(sum(in_two) AS BIGINT) FROM ab_assignments
                     WHERE test_id = $1 GROUP BY phase, variant ORDER BY phase, variant";

/// How many units were exposed, by phase and arm, and how many of them were in two arms.
pub(super) async fn units(conn: &mut Conn, test_id: AbTestId) -> Result<Vec<(i64, i64, i64, i64)>> {
    conn.fetch_all(UNITS, params![test_id]).await
}

/// What was observed of a unit that was exposed.
#[derive(FromRow)]
pub(super) struct UnitRow {
    pub(super) phase: i64,
    pub(super) variant: i64,
    pub(super) n: i64,
    pub(super) total: f64,
}

const OBSERVED: &str = "SELECT a.phase, a.variant, o.n, o.total FROM ab_observations o
                        JOIN ab_assignments a ON a.test_id = o.test_id AND a.unit_id = o.unit_id AND a.in_two = 0
                        WHERE o.test_id = $1 AND o.metric = $2";

/// Goes through what was observed of the units of a test that were in one arm only.
pub(super) async fn each_observed(
    conn: &mut Conn,
    test_id: AbTestId,
    metric: &str,
    mut take: impl FnMut(UnitRow),
) -> Result<()> {
    let mut rows = conn.fetch::<UnitRow>(OBSERVED, params![test_id, metric])?;
    while let Some(row) = rows.try_next().await? {
        take(row);
    }
    Ok(())
}

const PHASES: &str = "SELECT phase, coverage_bp, weights_bp, began_at FROM ab_phases WHERE test_id = $1 ORDER BY phase";

/// How traffic was dealt, in the order of time.
pub(super) async fn phases(conn: &mut Conn, test_id: AbTestId) -> Result<Vec<PhaseRow>> {
    conn.fetch_all(PHASES, params![test_id]).await
}

/// How traffic was dealt, and since when.
#[derive(Clone, Debug, FromRow)]
pub(super) struct PhaseRow {
    pub(super) phase: i64,
    pub(super) coverage_bp: i64,
    pub(super) weights_bp: Json<Vec<u16>>,
    pub(super) began_at: Timestamp,
}

const TO_EVALUATE: &str = "SELECT id FROM ab_tests WHERE status = 'running' AND evaluated_at <= $1
                           ORDER BY evaluated_at LIMIT $2";

/// Running tests that nobody has looked at since then.
pub(super) async fn to_evaluate(conn: &mut Conn, before: Timestamp, most: i64) -> Result<Vec<AbTestId>> {
    let ids: Vec<(AbTestId,)> = conn.fetch_all(TO_EVALUATE, params![before, most]).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

/// What an evaluation found.
#[derive(Clone, Debug, FromRow)]
pub(super) struct EvaluationRow {
    pub(super) at: Timestamp,
    pub(super) units: i64,
    pub(super) running: Json<serde_json::Value>,
    pub(super) decision: Json<serde_json::Value>,
}

const INSERT_EVALUATION: &str = "INSERT INTO ab_evaluations (test_id, at, units, running, decision)
                                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

pub(super) async fn insert_evaluation(tx: &mut Tx, test_id: AbTestId, row: &EvaluationRow) -> Result<()> {
    tx.execute(INSERT_EVALUATION, params![test_id, row.at, row.units, row.running, row.decision]).await.map(drop)
}

const EVALUATIONS: &str = "SELECT at, units, running, decision FROM ab_evaluations
                           WHERE test_id = $1 ORDER BY at DESC LIMIT $2";

/// The last evaluations, the newest first.
pub(super) async fn evaluations(conn: &mut Conn, test_id: AbTestId, most: i64) -> Result<Vec<EvaluationRow>> {
    conn.fetch_all(EVALUATIONS, params![test_id, most]).await
}
