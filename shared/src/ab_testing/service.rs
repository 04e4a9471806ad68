//! Making tests, changing them, and ending them.
use serde_json::json;

use super::{
    AbTest, AbTestPatch, AbTestResult, AbTestStatus, NewAbTest, choose, input::Checked, model::TestRow, promote,
    repository,
};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    clock::Timestamp,
    db::{Json, Tx},
    error::{Error, Result},
    id::AbTestId,
    notifications::{self, EventType},
    page::{Page, PageRequest, Position, SortKey},
    prompts::{self, Show},
    text,
};

/// What tests tell of, for whoever may not see everything.
pub(super) const OF_ALL: &str = "A/B tests, whatever folders their prompts are in";

/// Makes a test. It runs at once, unless it is to be a draft.
pub async fn create(app: &App, caller: &Caller, new: NewAbTest) -> Result<AbTest> {
    let general = new.variants.is_some();
    let Checked { name, planned, weights_bp, coverage_bp, behind, is_draft } = new.check()?;
    check_variants(app, caller, &planned.variants, general).await?;
    if let Some(behind) = &behind
        && prompts::get(
            app,
            caller,
            behind.prompt_id,
            &prompts::Selector::Label(text::sought(behind.label.clone())),
            Show::PROMPT,
        )
        .await
        .is_err()
    {
        let detail = format!("prompt `{}` has no label `{}`", behind.prompt_id, behind.label);
        return Err(Error::invalid("/behind", "unknown-label", detail));
    }
    let now = app.clock.now();
    let (behind_prompt_id, behind_label) = behind.map(|behind| (behind.prompt_id, behind.label)).unzip();
    let row = TestRow {
        id: AbTestId::generate(now),
        name,
        status: if is_draft { AbTestStatus::Draft } else { AbTestStatus::Running },
        plan: Json(planned),
        salt: salt(),
        behind_prompt_id,
        behind_label,
        phase: 1,
        coverage_bp,
        weights_bp: Json(weights_bp),
        result: None,
        winner: None,
        created_by: caller.actor.to_string(),
        created_at: now,
        updated_at: now,
        started_at: (!is_draft).then_some(now),
        ended_at: None,
        evaluated_at: now,
        note: None,
    };
    let mut tx = begin!(app, caller);
    promote::check_behind(&tx, &row)?;
    if row.plan().promote {
        promote::check_promotion(&tx, &row)?;
    }
    if !repository::insert(&mut tx, &row).await? {
        let detail = "another test is behind this label; complete that one first";
        return Err(Error::conflict("label-taken", detail));
    }
    repository::insert_phase(&mut tx, &row, now).await?;
    choose::changes(&mut tx, &row).await?;
    let test = announce(&mut tx, EventType::AbTestCreated, row, "ab_test.created", None).await?;
    tx.commit_with(&test).await?;
    Ok(test)
}

/// Random, and never shown: whoever knew it could choose an arm by choosing an id.
fn salt() -> String {
    let bytes: [u8; 16] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses arms that show what is not there, or what whoever makes the test may not see: readers are served it.
async fn check_variants(app: &App, caller: &Caller, variants: &[super::Variant], general: bool) -> Result<()> {
    let mut violations = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        let found = prompts::get(app, caller, variant.prompt_id, &choose::selector(variant)?, Show::PROMPT).await;
        let Err(error) = found else { continue };
        if !error.is_refusal() {
            return Err(error);
        }
        let pointer = match (general, index) {
            (true, _) => format!("/variants/{index}/prompt_id"),
            (false, 0) => "/prompt_a_id".to_owned(),
            (false, _) => "/prompt_b_id".to_owned(),
        };
        violations.push(crate::Violation::new(pointer, "unknown-prompt", error.to_string()));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::from_violations(violations)) }
}

/// A test.
pub async fn get(app: &App, caller: &Caller, id: AbTestId) -> Result<AbTest> {
    caller.must_reach_everything(OF_ALL)?;
    let row = repository::find(&mut app.db.read().await?, id).await?;
    Ok(row.ok_or_else(|| missing(id))?.show())
}

/// Tests, the newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    status: Option<AbTestStatus>,
    request: &PageRequest,
) -> Result<Page<AbTest>> {
    caller.must_reach_everything(OF_ALL)?;
    let name = match status {
        Some(status) => format!("ab-tests {status}"),
        None => "ab-tests".to_owned(),
    };
    let after = request.after(&app.secret, &name)?;
    let (rows, total) = repository::list(&mut app.db.read().await?, status, after.as_ref(), request).await?;
    let rows = rows.into_iter().map(TestRow::show).collect();
    let position = |row: &AbTest| Position { key: SortKey::Number(row.created_at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// Changes how a test is called, or how it deals traffic, which begins a new phase. Who has an arm keeps it.
pub async fn update(app: &App, caller: &Caller, id: AbTestId, patch: AbTestPatch) -> Result<AbTest> {
    let name = patch.name.as_deref().map(|name| text::identifier(name, "/name", text::NAME_CHARS_MAX)).transpose();
    let name = name.map_err(|violation| Error::from_violations(vec![violation]))?;
    let mut tx = begin!(app, caller);
    let mut row = hold(&mut tx, id).await?;
    if row.status == AbTestStatus::Completed {
        return Err(ended(&row));
    }
    promote::check_behind(&tx, &row)?;
    let (coverage, weights) = patch.dealt(row.variants().len())?;
    row.name = name.unwrap_or(row.name);
    let coverage = coverage.unwrap_or(row.coverage_bp);
    let weights = weights.unwrap_or_else(|| row.weights_bp.0.clone());
    deal(&mut tx, &mut row, coverage, weights).await?;
    let test = save(&mut tx, row, "ab_test.updated").await?;
    tx.commit_with(&test).await?;
    Ok(test)
}

/// Deals traffic otherwise from now on.
pub(super) async fn deal(tx: &mut Tx, row: &mut TestRow, coverage_bp: i64, weights_bp: Vec<u16>) -> Result<()> {
    if (row.coverage_bp, &row.weights_bp.0) == (coverage_bp, &weights_bp) {
        return Ok(());
    }
    (row.coverage_bp, row.weights_bp) = (coverage_bp, Json(weights_bp));
    row.phase += 1;
    let now = tx.now();
    repository::insert_phase(tx, row, now).await
}

/// Begins a draft, or goes on with a test that was paused.
pub async fn start(app: &App, caller: &Caller, id: AbTestId) -> Result<AbTest> {
    move_to(app, caller, id, AbTestStatus::Running, "ab_test.started").await
}

/// Stops dealing arms out; who has one keeps it.
pub async fn pause(app: &App, caller: &Caller, id: AbTestId) -> Result<AbTest> {
    move_to(app, caller, id, AbTestStatus::Paused, "ab_test.paused").await
}

async fn move_to(
    app: &App,
    caller: &Caller,
    id: AbTestId,
    status: AbTestStatus,
    action: &'static str,
) -> Result<AbTest> {
    let mut tx = begin!(app, caller);
    let mut row = hold(&mut tx, id).await?;
    let test = match (row.status, status) {
        (AbTestStatus::Completed, _) => return Err(ended(&row)),
        (AbTestStatus::Draft, AbTestStatus::Paused) => {
            return Err(Error::conflict("not-started", "a draft cannot be paused; start it first"));
        }
        (from, to) if from == to => row.show(),
        _ => {
            if status == AbTestStatus::Running {
                promote::check_behind(&tx, &row)?;
            }
            row.status = status;
            row.started_at = row.started_at.or(Some(tx.now()));
            save(&mut tx, row, action).await?
        }
    };
    tx.commit_with(&test).await?;
    Ok(test)
}

/// Ends a test. With a winner, and where the test promotes or is told to, the label moves to it.
pub async fn complete(
    app: &App,
    caller: &Caller,
    id: AbTestId,
    winner: Option<String>,
    promote: Option<bool>,
) -> Result<AbTest> {
    let mut tx = begin!(app, caller);
    let mut row = hold(&mut tx, id).await?;
    if row.status == AbTestStatus::Completed {
        return Err(ended(&row));
    }
    if let Some(name) = &winner
        && row.arm(name).is_none()
    {
        return Err(Error::invalid("/winner", "unknown-variant", format!("the test has no variant `{name}`")));
    }
    row.winner = winner;
    if promote.unwrap_or(row.plan().promote) {
        promote::promote(&mut tx, &row).await?;
    }
    row.note = None;
    let test = end(&mut tx, row, AbTestResult::StoppedManual).await?;
    tx.commit_with(&test).await?;
    Ok(test)
}

/// Ends a held test with a result. Its note stands in the audit log too.
pub(super) async fn end(tx: &mut Tx, mut row: TestRow, result: AbTestResult) -> Result<AbTest> {
    row.status = AbTestStatus::Completed;
    row.result = Some(result);
    row.ended_at = Some(tx.now());
    row.updated_at = tx.now();
    repository::update(tx, &row).await?;
    choose::changes(tx, &row).await?;
    let detail = Some(row.note.as_ref().map_or(result.to_string(), |note| format!("{result}; {note}")));
    announce(tx, EventType::AbTestCompleted, row, "ab_test.completed", detail).await
}

/// Writes a held test down, and tells of it.
pub(super) async fn save(tx: &mut Tx, mut row: TestRow, action: &'static str) -> Result<AbTest> {
    row.updated_at = tx.now();
    repository::update(tx, &row).await?;
    choose::changes(tx, &row).await?;
    announce(tx, EventType::AbTestUpdated, row, action, None).await
}

async fn announce(
    tx: &mut Tx,
    event_type: EventType,
    row: TestRow,
    action: &'static str,
    detail: Option<String>,
) -> Result<AbTest> {
    let test = row.show();
    audit::record_state(tx, action, test.id, detail, &test).await?;
    let data = json!({
        "id": test.id,
        "name": test.name,
        "status": test.status,
        "phase": test.phase,
        "result": test.result,
        "winner": test.winner,
        "note": test.note,
    });
    notifications::announce(tx, event_type, test.id, data, &test).await?;
    Ok(test)
}

pub(super) async fn hold(tx: &mut Tx, id: AbTestId) -> Result<TestRow> {
    tx.caller().must_reach_everything(OF_ALL)?;
    repository::hold(tx, id).await?.ok_or_else(|| missing(id))
}

pub(super) fn missing(id: AbTestId) -> Error {
    Error::not_found("A/B test", id)
}

/// Why nothing more can be done with a test.
pub(super) fn ended(row: &TestRow) -> Error {
    let when: Timestamp = row.ended_at.unwrap_or(row.updated_at);
    let winner = row.winner.as_ref().map_or(String::new(), |name| format!("; variant `{name}` won"));
    Error::conflict("test-ended", format!("the test ended at {when}{winner}"))
}
