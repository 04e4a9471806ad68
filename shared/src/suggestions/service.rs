//! Checking prompts, and choosing which rules do not count for one.
use super::{LintRequest, model, repository};
use crate::{
    app::{App, begin},
    audit,
    caller::Caller,
    computing,
    db::Conn,
    error::{Error, Result},
    id::PromptId,
    lint::{self, Options, Report, Rule, Suppression},
    prompts::{self, Precondition, Selector, Show},
    templates::InputSchema,
    text,
};

/// Checks a text that is not stored.
pub async fn lint(request: LintRequest) -> Result<Report> {
    request.check()?;
    computing::run(move || lint::check(&request.text(&InputSchema::default()), &request.options())).await
}

/// Checks a prompt at one of its versions.
pub async fn get(app: &App, caller: &Caller, id: PromptId, selector: &Selector) -> Result<Report> {
    let body = prompts::get(app, caller, id, selector, Show::PROMPT).await?.body;
    let options = options(&mut app.db.read().await?, id).await?;
    computing::run(move || lint::check(&model::text(&body), &options)).await
}

/// How a prompt is checked: without the rules that do not count for it.
pub async fn options(conn: &mut Conn, id: PromptId) -> Result<Options> {
    Ok(Options { suppressions: repository::list(conn, id).await?, ..Options::default() })
}

/// Makes a rule not count for a prompt, whatever its version. Giving the same reason again changes nothing.
///
/// The revision stays: a prompt does not show its suppressions, so whoever has read it has still read it as it is.
pub async fn suppress(
    app: &App,
    caller: &Caller,
    id: PromptId,
    rule: &str,
    precondition: &Precondition,
    reason: String,
) -> Result<Suppression> {
    let rule = known(rule)?;
    text::reason(&reason, "/reason").map_err(|violation| Error::from_violations(vec![violation]))?;
    let mut tx = begin!(app, caller);
    prompts::hold(&mut tx, id, precondition).await?;
    let before = repository::list(&mut tx, id).await?.into_iter().find(|before| before.rule == rule);
    let suppression = if let Some(same) = before.filter(|before| before.reason == reason) {
        same
    } else {
        let (by, at) = (Some(tx.caller().actor.to_string()), Some(tx.now()));
        let suppression = Suppression { rule, reason, suppressed_by: by, suppressed_at: at };
        repository::set(&mut tx, id, &suppression).await?;
        // The table forgets a reason that another has followed.
        let detail = format!("{rule}: {}", suppression.reason);
        audit::record(&mut tx, "prompt.rule_suppressed", id, Some(detail)).await?;
        suppression
    };
    tx.commit_with(&suppression).await?;
    Ok(suppression)
}

/// Makes a rule count again.
pub async fn delete_suppression(
    app: &App,
    caller: &Caller,
    id: PromptId,
    rule: &str,
    precondition: &Precondition,
) -> Result<()> {
    let rule = known(rule)?;
    let mut tx = begin!(app, caller);
    prompts::hold(&mut tx, id, precondition).await?;
    if !repository::delete(&mut tx, id, rule).await? {
        return Err(Error::not_found("suppression", rule));
    }
    audit::record(&mut tx, "prompt.suppression_deleted", id, Some(rule.to_string())).await?;
    tx.commit_with(&()).await
}

fn known(rule: &str) -> Result<Rule> {
    rule.parse().map_err(|_| Error::not_found("rule", rule))
}
