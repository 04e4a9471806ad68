//! How far a key reaches that is for some folders or some labels only.
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Deserialize;
use shared::{App, caller::Grant, id::PromptId, prompts};

use super::forbidden;
use crate::{extract::Path, problem::Problem};

/// Routes that ask the domain how far a key reaches, and leave out or refuse what is beyond.
const BY_THEMSELVES: [&str; 15] = [
    "/api/v1/prompts",
    "/api/v1/prompts/batch-get",
    "/api/v1/prompts/categories",
    "/api/v1/prompts/lifecycle/{status}",
    "/api/v1/prompts/lint",
    "/api/v1/prompts/render",
    "/api/v1/prompts/search",
    "/api/v1/prompts/search/{category}/{name}",
    "/api/v1/prompts/suggest",
    "/api/v1/prompts/tags",
    "/api/v1/lifecycle/rules",
    "/api/v1/refinement/compare/{a}/{b}",
    "/api/v1/refinement/sessions/{id}",
    "/api/v1/analytics/usage",
    "/prompts/search/{category}/{name}",
];

/// Of these, and of those about one prompt, the ones that show and move nothing but what a label points at.
const BY_LABEL: [&str; 8] = [
    "/api/v1/prompts/batch-get",
    "/api/v1/prompts/lint",
    "/api/v1/prompts/render",
    "/api/v1/prompts/search/{category}/{name}",
    "/api/v1/prompts/{id}/labels/{label}",
    "/api/v1/lifecycle/rules",
    "/api/v1/analytics/usage",
    "/prompts/search/{category}/{name}",
];

/// What is below these is about one prompt,
const ABOUT_ONE: [&str; 2] = ["/api/v1/prompts/{id}", "/api/v1/analytics/prompts/{id}"];

/// unless it is one of these, which tell of other prompts too.
const OF_OTHERS: [&str; 4] = [
    "/api/v1/prompts/{id}/related",
    "/api/v1/prompts/{id}/relationships",
    "/api/v1/prompts/{id}/relationships/graph",
    "/api/v1/prompts/{id}/used-by",
];

/// The prompt that a route is about, as its handler reads it.
#[derive(Deserialize)]
struct About {
    id: PromptId,
}

/// A key for some prompts, or some of their versions, gets nowhere but where it is known how far it reaches. A prompt out of
/// reach is not there, as far as such a key can tell.
pub(super) async fn check(app: &App, grant: &Grant, request: &mut Parts, route: &str) -> Result<(), Problem> {
    let one = ABOUT_ONE.iter().find(|one| route.strip_prefix(*one).is_some_and(is_end_of_part));
    let one = one.filter(|_| !OF_OTHERS.contains(&route));
    let beyond =
        |what| Err(forbidden(format!("a key for some {what} only cannot ask this route, which reaches beyond them")));
    if !grant.labels.is_empty() && !BY_LABEL.contains(&route) {
        return beyond("labels");
    }
    if grant.folders.are_all() {
        return Ok(());
    }
    match one {
        Some(_) => {
            // What the handler could not read is refused here as there.
            let Path(About { id }) = Path::from_request_parts(request, &()).await?;
            Ok(prompts::check_reach(&mut app.db.read().await?, &grant.folders, id).await?)
        }
        None if BY_THEMSELVES.contains(&route) => Ok(()),
        None => beyond("folders"),
    }
}

fn is_end_of_part(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}
