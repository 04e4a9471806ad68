//! Calls of models: each is paid for before it is made, and its answer is written down before it is used. So a worker that is
//! lost costs one call at most, and nobody spends more than the budget and one call.
use std::time::Duration;

use serde_json::json;

use super::{
    RefinementStatus,
    instruction::Instruction,
    model::{RefinementError, SessionRow},
    repository,
    service::announce,
};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    error::Result,
    id::RefinementId,
    jobs::Claim,
    llm::{Fault, LlmService, Said},
    notifications::EventType,
    retry,
    telemetry::LLM_DOLLARS,
};

/// So often a model is asked for one refinement, whatever comes of it.
pub(super) const CALLS_MAX: i64 = 4;
/// Characters of a token, about: what a question costs is known only once it is answered.
const TOKEN_BYTES: i64 = 4;
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MOST: Duration = Duration::from_mins(2);

/// What comes of wanting to ask.
pub(super) enum Asking {
    /// Ask: this is call number so much, taken to cost so many billionths of a dollar.
    Ask(Paid),
    /// Nobody may be asked any more.
    Refused(RefinementError),
    /// Nothing is left to do.
    Over,
}

/// A call that is paid for.
#[derive(Clone, Copy)]
pub(super) struct Paid {
    number: i64,
    nanos: i64,
    day: Timestamp,
}

/// Pays for the next call, before it is made.
pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    claim: &Claim,
    id: RefinementId,
    instruction: &Instruction,
) -> Result<Asking> {
    let mut tx = app.begin(caller).await?;
    // Progress is an answer: whoever loses three workers in a row is not asked a fourth time.
    claim.keep(&mut tx, app.settings.lease).await?;
    let Some(session) = repository::hold(&mut tx, id).await?.filter(SessionRow::is_processing) else {
        return Ok(Asking::Over);
    };
    let calls = repository::calls(&mut tx, id).await?;
    if let Some(last) = calls.last()
        && i64::try_from(calls.len()).unwrap_or(i64::MAX) >= CALLS_MAX
    {
        let detail = format!("a model was asked {CALLS_MAX} times and did not answer; try again later");
        let code = last.error_code.clone().unwrap_or_else(|| "service-unreachable".to_owned());
        return Ok(Asking::Refused(RefinementError { code, detail }));
    }
    let number = calls.last().map_or(1, |last| last.number + 1);
    let paid = Paid { number, nanos: expected(app, &session, instruction), day: tx.now().day() };
    let llm = &app.settings.llm;
    let over = |what: &str, setting: &str| {
        let detail = format!("what {what} may cost is spent; raise {setting}, or ask `rules`, which costs nothing");
        Asking::Refused(RefinementError { code: "budget-exceeded".to_owned(), detail })
    };
    if paid.nanos > 0 {
        if !repository::spend_of_session(&mut tx, id, paid.nanos, llm.llm_session_nanos).await? {
            return Ok(over("one refinement", "PROMPT_STORE_LLM_SESSION_USD"));
        }
        if !repository::spend_of_day(&mut tx, paid.day, paid.nanos, llm.llm_day_nanos).await? {
            return Ok(over("the refinements of a day", "PROMPT_STORE_LLM_DAY_USD"));
        }
    }
    repository::insert_call(&mut tx, id, number, paid.nanos).await?;
    if number == 1 {
        announce(&mut tx, EventType::RefinementStarted, &session, json!({})).await?;
    }
    tx.commit().await?;
    Ok(Asking::Ask(paid))
}

/// What a call is taken to cost before it is known.
fn expected(app: &App, session: &SessionRow, instruction: &Instruction) -> i64 {
    if session.llm_service == LlmService::Rules {
        return 0;
    }
    let bytes = i64::try_from(instruction.system.len() + instruction.query.len()).unwrap_or(i64::MAX);
    let tokens = bytes / TOKEN_BYTES;
    let model = session.model.as_deref().unwrap_or_default();
    // About as much is written as was read.
    app.settings.prices.nanos(model, tokens, tokens).unwrap_or(app.settings.llm.llm_call_nanos)
}

/// Writes down what a call came to.
pub(super) async fn end(
    app: &App,
    caller: &Caller,
    claim: &Claim,
    session: &SessionRow,
    paid: Paid,
    outcome: &Result<Said, Fault>,
) -> Result<()> {
    let cost = match outcome {
        Ok(said) => cost(app, session, said, paid),
        Err(fault) if fault.code.is_free() => 0,
        Err(_) => paid.nanos,
    };
    let service = session.llm_service.to_string();
    metrics::counter!(LLM_DOLLARS, "service" => service).increment(u64::try_from(cost).unwrap_or(0));
    // Asked again because another transaction was faster would be paid for twice.
    retry::races(|| async {
        let mut tx = app.begin(caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        match outcome {
            Ok(said) => repository::answered(&mut tx, session.id, paid.number, said, cost).await?,
            Err(fault) => repository::failed(&mut tx, session.id, paid.number, fault.code, cost).await?,
        }
        if cost != paid.nanos {
            repository::correct(&mut tx, session.id, paid.day, cost - paid.nanos).await?;
        }
        tx.commit().await
    })
    .await
}

fn cost(app: &App, session: &SessionRow, said: &Said, paid: Paid) -> i64 {
    let (Some(input), Some(output)) = (said.input_tokens, said.output_tokens) else { return paid.nanos };
    let asked = session.model.as_deref().unwrap_or_default();
    let prices = &app.settings.prices;
    let known = prices.nanos(asked, input, output);
    known.or_else(|| prices.nanos(said.model.as_deref()?, input, output)).unwrap_or(paid.nanos)
}

/// When to ask again, after a call that was not answered and may be another time.
pub(super) fn again_after(paid: Paid, fault: &Fault) -> Option<Duration> {
    if !fault.code.is_transient() || paid.number >= CALLS_MAX {
        return None;
    }
    let wait = retry::delay(u32::try_from(paid.number).unwrap_or(u32::MAX), RETRY_FIRST, RETRY_MOST);
    Some(fault.retry_after.map_or(wait, |asked| asked.max(wait)))
}

impl SessionRow {
    pub(super) fn is_processing(&self) -> bool {
        self.status == RefinementStatus::Processing
    }
}
