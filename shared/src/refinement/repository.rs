//! The tables `refinements`, `refinement_calls`, `refinement_days` and `documents`.
use serde_json::Value;

use super::{
    Call, RefinementFilter,
    documents::DocumentRow,
    model::{RefinementError, SessionRow},
};
use crate::{
    clock::Timestamp,
    db::{Conn, Json, Query, Tx, params},
    error::Result,
    id::{DocumentId, PromptId, RefinementId},
    llm::{FaultCode, Said},
    page::{PageRequest, Position},
};

const INSERT: &str = "INSERT INTO refinements (id, prompt_id, base_version, parent_id, status, llm_service, model,
                                               instructions, context, user_id, document_id, created_by, created_at)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

pub(super) async fn insert(tx: &mut Tx, row: &SessionRow) -> Result<()> {
    let values = params![
        row.id,
        row.prompt_id,
        row.base_version,
        row.parent_id,
        row.status,
        row.llm_service,
        row.model,
        row.instructions,
        row.context,
        row.user_id,
        row.document_id,
        row.created_by,
        row.created_at
    ];
    tx.execute(INSERT, values).await.map(drop)
}

const FIND: &str = "SELECT * FROM refinements WHERE id = $1";

pub(super) async fn find(conn: &mut Conn, id: RefinementId) -> Result<Option<SessionRow>> {
    conn.fetch_optional(FIND, params![id]).await
}

const LOCK: &str = "UPDATE refinements SET status = status WHERE id = $1";

/// A refinement that nobody else writes to until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, id: RefinementId) -> Result<Option<SessionRow>> {
    match tx.execute(LOCK, params![id]).await? {
        0 => Ok(None),
        _ => find(tx, id).await,
    }
}

fn filtered<'a>(start: &'static str, filter: &'a RefinementFilter) -> Query<'a> {
    Query::new(start)
        .and("prompt_id = ?", &filter.prompt_id)
        .and("status = ?", &filter.status)
        .and("user_id = ?", &filter.user_id)
}

/// How many bytes each refinement of a page of [`list`] holds.
pub(super) async fn lengths(
    conn: &mut Conn,
    filter: &RefinementFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<Vec<i64>> {
    let (most, offset) = (request.limit_and_one(), request.offset());
    let start = "SELECT CAST(octet_length(instructions) + octet_length(CAST(context AS TEXT)) AS BIGINT)
                 FROM refinements WHERE TRUE";
    let mut query = filtered(start, filter);
    if let Some(after) = after {
        query = query.then("AND (created_at, id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[&most, &offset]);
    let rows: Vec<(i64,)> = conn.fetch_all(&query, query.params()).await?;
    Ok(rows.into_iter().map(|(bytes,)| bytes).collect())
}

/// Refinements, the newest first, and how many there are.
pub(super) async fn list(
    conn: &mut Conn,
    filter: &RefinementFilter,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<SessionRow>, i64)> {
    let counted = filtered("SELECT count(*) FROM refinements WHERE TRUE", filter);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (most, offset) = (request.limit_and_one(), request.offset());
    let mut query = filtered("SELECT * FROM refinements WHERE TRUE", filter);
    if let Some(after) = after {
        query = query.then("AND (created_at, id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?", &[&most, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const NEWEST_COMPLETED: &str = "SELECT * FROM refinements WHERE prompt_id = $1 AND status = 'completed'
                                ORDER BY created_at DESC, id DESC LIMIT 1";

/// The newest refinement of a prompt whose result nobody has applied.
pub(super) async fn newest_completed(conn: &mut Conn, prompt_id: PromptId) -> Result<Option<SessionRow>> {
    conn.fetch_optional(NEWEST_COMPLETED, params![prompt_id]).await
}

const COMPLETE: &str =
    "UPDATE refinements SET status = 'completed', model = COALESCE($2, model), document_version = $3,
                                               finished_at = $4
                        WHERE id = $1 AND status = 'processing'";

pub(super) async fn complete(
    tx: &mut Tx,
    id: RefinementId,
    model: Option<String>,
    document_version: i64,
) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(COMPLETE, params![id, model, document_version, now]).await? == 1)
}

const FAIL: &str = "UPDATE refinements SET status = 'failed', error_code = $2, error_detail = $3, finished_at = $4
                    WHERE id = $1 AND status = 'processing'";

/// Answers whether it was still being worked at.
pub(super) async fn fail(tx: &mut Tx, id: RefinementId, error: &RefinementError) -> Result<bool> {
    let now = tx.now();
    Ok(tx.execute(FAIL, params![id, error.code, error.detail, now]).await? == 1)
}

const REVIVE: &str =
    "UPDATE refinements SET status = 'processing', error_code = NULL, error_detail = NULL, finished_at = NULL
                      WHERE id = $1 AND status = 'failed'";

/// A refinement that was given up is worked at again.
pub(super) async fn revive(tx: &mut Tx, id: RefinementId) -> Result<()> {
    tx.execute(REVIVE, params![id]).await.map(drop)
}

const APPLY: &str = "UPDATE refinements SET status = 'applied', applied_version = $2, applied_at = $3 WHERE id = $1";

pub(super) async fn apply(tx: &mut Tx, id: RefinementId, version: i64) -> Result<()> {
    let now = tx.now();
    tx.execute(APPLY, params![id, version, now]).await.map(drop)
}

const CALLS: &str = "SELECT number, state, error_code, input_tokens, output_tokens, cost_nanos, asked_at, ended_at
                     FROM refinement_calls WHERE refinement_id = $1 ORDER BY number";

/// The calls that were made for a refinement, or were about to be.
pub(super) async fn calls(conn: &mut Conn, id: RefinementId) -> Result<Vec<Call>> {
    conn.fetch_all(CALLS, params![id]).await
}

const ANSWER: &str = "SELECT answer FROM refinement_calls
                      WHERE refinement_id = $1 AND state = 'answered' ORDER BY number LIMIT 1";

/// An answer that was written down and not used yet.
pub(super) async fn answer(conn: &mut Conn, id: RefinementId) -> Result<Option<Said>> {
    let found: Option<(Json<Said>,)> = conn.fetch_optional(ANSWER, params![id]).await?;
    Ok(found.map(|(said,)| said.0))
}

const SPEND_OF_SESSION: &str = "UPDATE refinements SET spent_nanos = spent_nanos + $2
                                WHERE id = $1 AND spent_nanos < $3";

/// Takes a call's cost from what a refinement may cost; not, if that is spent.
pub(super) async fn spend_of_session(tx: &mut Tx, id: RefinementId, nanos: i64, budget: i64) -> Result<bool> {
    Ok(tx.execute(SPEND_OF_SESSION, params![id, nanos, budget]).await? == 1)
}

const BEGIN_DAY: &str = "INSERT INTO refinement_days (day, spent_nanos) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const SPEND_OF_DAY: &str = "UPDATE refinement_days SET spent_nanos = spent_nanos + $2
                            WHERE day = $1 AND spent_nanos < $3";

/// Takes a call's cost from what a day's refinements may cost; not, if that is spent.
pub(super) async fn spend_of_day(tx: &mut Tx, day: Timestamp, nanos: i64, budget: i64) -> Result<bool> {
    tx.execute(BEGIN_DAY, params![day]).await?;
    Ok(tx.execute(SPEND_OF_DAY, params![day, nanos, budget]).await? == 1)
}

const CORRECT_SESSION: &str = "UPDATE refinements SET spent_nanos = spent_nanos + $2 WHERE id = $1";
const CORRECT_DAY: &str = "UPDATE refinement_days SET spent_nanos = spent_nanos + $2 WHERE day = $1";

/// A call cost more than it was taken to cost, or less.
pub(super) async fn correct(tx: &mut Tx, id: RefinementId, day: Timestamp, nanos: i64) -> Result<()> {
    tx.execute(CORRECT_SESSION, params![id, nanos]).await?;
    tx.execute(CORRECT_DAY, params![day, nanos]).await.map(drop)
}

const INSERT_CALL: &str = "INSERT INTO refinement_calls (refinement_id, number, state, cost_nanos, asked_at)
                           VALUES ($1, $2, 'asked', $3, $4)";

/// A call that is about to be made.
pub(super) async fn insert_call(tx: &mut Tx, id: RefinementId, number: i64, cost_nanos: i64) -> Result<()> {
    let now = tx.now();
    tx.execute(INSERT_CALL, params![id, number, cost_nanos, now]).await.map(drop)
}

const END_CALL: &str = "UPDATE refinement_calls SET state = $3, error_code = $4, answer = $5, input_tokens = $6,
                                                    output_tokens = $7, cost_nanos = $8, ended_at = $9
                        WHERE refinement_id = $1 AND number = $2";

/// A call was answered.
pub(super) async fn answered(tx: &mut Tx, id: RefinementId, number: i64, said: &Said, cost_nanos: i64) -> Result<()> {
    let (now, state, none) = (tx.now(), super::CallState::Answered, None::<FaultCode>);
    let values = params![id, number, state, none, Json(said), said.input_tokens, said.output_tokens, cost_nanos, now];
    tx.execute(END_CALL, values).await.map(drop)
}

/// A call was not answered.
pub(super) async fn failed(tx: &mut Tx, id: RefinementId, number: i64, code: FaultCode, cost_nanos: i64) -> Result<()> {
    let (now, state, none, no_tokens) = (tx.now(), super::CallState::Failed, None::<Json<Said>>, None::<i64>);
    let values = params![id, number, state, Some(code), none, no_tokens, no_tokens, cost_nanos, now];
    tx.execute(END_CALL, values).await.map(drop)
}

const INSERT_DOCUMENT: &str =
    "INSERT INTO documents (id, version, refinement_id, prompt_id, title, report, result, created_at)
     SELECT $1, COALESCE(max(version), 0) + 1, $2, $3, $4, $5, $6, $7 FROM documents WHERE id = $1
     RETURNING version";

/// Writes the next version of a document, and answers its number.
pub(super) async fn insert_document(
    tx: &mut Tx,
    session: &SessionRow,
    title: &String,
    report: &String,
    result: &Value,
) -> Result<i64> {
    let now = tx.now();
    let values = params![session.document_id, session.id, session.prompt_id, title, report, Json(result), now];
    let (version,) = tx.fetch_one(INSERT_DOCUMENT, values).await?;
    Ok(version)
}

const RESULT: &str = "SELECT result FROM documents WHERE refinement_id = $1";

/// What a refinement led to.
pub(super) async fn result(conn: &mut Conn, id: RefinementId) -> Result<Option<super::Refined>> {
    let found: Option<(Json<super::Refined>,)> = conn.fetch_optional(RESULT, params![id]).await?;
    Ok(found.map(|(result,)| result.0))
}

const DOCUMENT: &str = "SELECT d.id, d.version, (SELECT max(version) FROM documents v WHERE v.id = d.id) AS newest,
                               d.refinement_id, d.prompt_id, r.base_version, r.llm_service, r.model, r.instructions,
                               r.spent_nanos, r.created_by, d.title, d.report, d.result, d.created_at, d.stored_at
                        FROM documents d JOIN refinements r ON r.id = d.refinement_id
                        WHERE d.id = $1 AND d.version = COALESCE($2, (SELECT max(version) FROM documents v WHERE v.id = $1))";

/// A version of a document; the newest, unless one is named.
pub(super) async fn document(conn: &mut Conn, id: DocumentId, version: Option<i64>) -> Result<Option<DocumentRow>> {
    conn.fetch_optional(DOCUMENT, params![id, version]).await
}

/// The newest versions of documents, the newest first, and how many documents there are.
pub(super) async fn documents(
    conn: &mut Conn,
    prompt_id: Option<PromptId>,
    after: Option<&Position>,
    request: &PageRequest,
) -> Result<(Vec<DocumentRow>, i64)> {
    let counted = Query::new("SELECT count(DISTINCT id) FROM documents WHERE TRUE").and("prompt_id = ?", &prompt_id);
    let (total,) = conn.fetch_one(&counted, counted.params()).await?;
    let (most, offset) = (request.limit_and_one(), request.offset());
    let mut query = Query::new(
        "SELECT d.id, d.version, d.version AS newest, d.refinement_id, d.prompt_id, r.base_version, r.llm_service,
                r.model, r.instructions, r.spent_nanos, r.created_by, d.title, '' AS report, NULL AS result,
                d.created_at, d.stored_at
         FROM documents d JOIN refinements r ON r.id = d.refinement_id
         WHERE d.version = (SELECT max(version) FROM documents v WHERE v.id = d.id)",
    )
    .and("d.prompt_id = ?", &prompt_id);
    if let Some(after) = after {
        query = query.then("AND (d.created_at, d.id) < (?, ?)", &[after.key.param(), &after.id]);
    }
    let query = query.then("ORDER BY d.created_at DESC, d.id DESC LIMIT ? OFFSET ?", &[&most, &offset]);
    Ok((conn.fetch_all(&query, query.params()).await?, total))
}

const STORED: &str = "UPDATE documents SET stored_at = $3 WHERE id = $1 AND version = $2";

/// The store of documents has it.
pub(super) async fn stored(tx: &mut Tx, id: DocumentId, version: i64) -> Result<()> {
    let now = tx.now();
    tx.execute(STORED, params![id, version, now]).await.map(drop)
}

const NOT_INDEXED: &str = "SELECT DISTINCT id FROM documents o
     WHERE id > $1 AND NOT EXISTS (SELECT 1 FROM search_documents d WHERE d.id = o.id AND d.analysis = $2)
     ORDER BY id LIMIT $3";

/// Documents that the index does not know.
pub(super) async fn not_indexed(conn: &mut Conn, after: &str, analysis: i64, most: i64) -> Result<Vec<DocumentId>> {
    let ids: Vec<(DocumentId,)> = conn.fetch_all(NOT_INDEXED, params![after, analysis, most]).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
