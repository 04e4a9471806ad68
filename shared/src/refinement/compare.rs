//! Looking at results beside what they came from, and beside each other.
use serde::Serialize;
use utoipa::ToSchema;

use super::{Refinement, repository, service};
use crate::{
    app::App,
    caller::Caller,
    computing,
    db::Conn,
    error::{Error, Result},
    id::{PromptId, RefinementId},
    prompts::{self, Selector},
    versions::{self, Body, Changes},
};

/// What is compared.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Side {
    /// The version it is, if it is one.
    pub version: Option<i64>,
    /// The refinement whose result it is, if it is none yet.
    pub session_id: Option<RefinementId>,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
}

/// Two of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Comparison {
    /// Whose they are.
    pub prompt_id: PromptId,
    /// The one.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// What differs.
    pub diff: Changes,
}

/// Two results.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionComparison {
    /// The one.
    pub a: Refinement,
    /// The other.
    pub b: Refinement,
    /// What differs.
    pub diff: Changes,
}

impl Side {
    fn name(&self) -> String {
        match (self.version, self.session_id) {
            (Some(version), _) => format!("version {version}"),
            (None, Some(session)) => session.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// Compares two versions of a prompt. Without `b`: the newest result that nobody has applied, or else the newest version.
/// Without `a`: what came before that.
pub async fn compare(app: &App, caller: &Caller, id: PromptId, a: Option<i64>, b: Option<i64>) -> Result<Comparison> {
    caller.must_see_every_version()?;
    let mut conn = app.db.read_at_once().await?;
    let found = prompts::find_in(&mut conn, caller, id, &Selector::Latest).await?;
    let current = found.ok_or_else(|| Error::not_found("prompt", id))?.version;
    let b = match b {
        Some(number) => version(&mut conn, id, number).await?,
        None => match repository::newest_completed(&mut conn, id).await? {
            Some(session) => {
                let result = repository::result(&mut conn, session.id).await?;
                let body = result.ok_or_else(|| Error::internal("a completed refinement without a result"))?.body;
                Side { version: None, session_id: Some(session.id), body }
            }
            None => version(&mut conn, id, current).await?,
        },
    };
    let a = match (a, b.version) {
        (Some(number), _) => version(&mut conn, id, number).await?,
        (None, None) => version(&mut conn, id, current).await?,
        (None, Some(number)) if number > 1 => version(&mut conn, id, number - 1).await?,
        (None, Some(_)) => {
            let detail = "the prompt has one version, and no refinement with a result that was not applied";
            return Err(Error::conflict("nothing-to-compare", detail));
        }
    };
    drop(conn);
    let (a, b, diff) = differences(a, b).await?;
    Ok(Comparison { prompt_id: id, a, b, diff })
}

async fn version(conn: &mut Conn, id: PromptId, number: i64) -> Result<Side> {
    let found = versions::find(conn, id, number).await?.ok_or_else(|| Error::not_found("version", number))?;
    Ok(Side { version: Some(number), session_id: None, body: found.body })
}

async fn differences(a: Side, b: Side) -> Result<(Side, Side, Changes)> {
    computing::run(move || {
        let diff = versions::changes((&a.name(), &a.body), (&b.name(), &b.body));
        (a, b, diff)
    })
    .await
}

/// Compares the results of two refinements.
pub async fn compare_sessions(
    app: &App,
    caller: &Caller,
    a: RefinementId,
    b: RefinementId,
) -> Result<SessionComparison> {
    let (a, b) = (service::get(app, caller, a).await?, service::get(app, caller, b).await?);
    let side = |session: &Refinement| {
        let Some(result) = &session.result else {
            let detail = format!("refinement `{}` has no result; it is {}", session.session_id, session.status);
            return Err(Error::conflict("nothing-to-compare", detail));
        };
        Ok(Side { version: None, session_id: Some(session.session_id), body: result.body.clone() })
    };
    let (_, _, diff) = differences(side(&a)?, side(&b)?).await?;
    Ok(SessionComparison { a, b, diff })
}
