//! Who asks, and whether the route is for them.
mod browser;
mod reach;
mod revoked;
mod scopes;

use std::sync::Arc;

use axum::{
    extract::MatchedPath,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use sha2::{Digest, Sha256};
use shared::{
    access,
    caller::{Grant, Scope},
};
use subtle::ConstantTimeEq;

use crate::{Door, OPENAPI_PATH, problem::Problem};
use scopes::Wanted;

pub(crate) use revoked::Watched;
pub(crate) use scopes::Scopes;

/// Whoever asks, as the rest of the request knows them.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) actor: Arc<str>,
    pub(crate) grant: Arc<Grant>,
}

impl Who {
    fn operator(actor: &str) -> Self {
        Self { actor: actor.into(), grant: Grant::everything() }
    }
}

/// Finds out who asks, and whether they may ask this.
pub(crate) async fn enter(door: &Door, scopes: &Scopes, request: &mut Parts) -> Result<Who, Problem> {
    let route = request.extensions.get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    door.limits.of_address(request)?;
    let Some(who) = who(door, request, route).await? else { return Ok(Who::nobody()) };
    door.limits.of_key(&who.actor)?;
    if who.grant.allows(Scope::Admin) {
        return Ok(who);
    }
    let Some(route) = route else { return Ok(who) };
    if let Wanted::Key(scope) = scopes.wanted(&request.method, route)
        && !who.grant.allows(scope)
    {
        return Err(forbidden(format!("this route needs a key with the scope `{scope}`")));
    }
    if who.grant.is_narrow() {
        reach::check(&door.app, &who.grant, request, route).await?;
    }
    Ok(who)
}

impl Who {
    /// Whoever asks what anybody may.
    fn nobody() -> Self {
        Self { actor: "anonymous".into(), grant: Arc::new(Grant::none()) }
    }
}

/// Nobody, where nobody need be known.
async fn who(door: &Door, request: &Parts, route: Option<&str>) -> Result<Option<Who>, Problem> {
    let (app, edge, headers) = (&door.app, &door.edge, &request.headers);
    if is_open(route) && edge.admin_key().is_some() {
        return Ok(None);
    }
    match (presented(headers), edge.admin_key()) {
        (Some(given), Some(admin)) if is_same(given, admin) => Ok(Some(Who::operator("admin"))),
        (Some(given), _) => match access::authenticate(app, given).await? {
            Some((id, grant)) => Ok(Some(Who { actor: id.to_string().into(), grant })),
            None => Err(door.limits.of_wrong_key(request, unauthenticated())),
        },
        (None, None) if edge.is_open(app.settings.env) => {
            browser::check(edge, request)?;
            Ok(Some(Who::operator("anonymous")))
        }
        (None, _) if is_open(route) => Ok(None),
        (None, _) => Err(unauthenticated()),
    }
}

/// What is presented as a key.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let (scheme, key) = value.to_str().ok()?.split_once(' ').unwrap_or_default();
    // Whatever else it is, it is no key, and whoever sent it wants to be known.
    Some(if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" })
}

/// Hashed first, so that neither length nor content shows in the time it takes.
fn is_same(given: &str, admin: &str) -> bool {
    Sha256::digest(given.as_bytes()).ct_eq(&Sha256::digest(admin.as_bytes())).into()
}

/// What probes and people may ask without a key: nothing of it tells what the store holds.
fn is_open(route: Option<&str>) -> bool {
    let is_known = |route| matches!(route, "/" | "/health/live" | "/health/ready" | OPENAPI_PATH) || is_page(route);
    route.is_some_and(is_known)
}

/// Is it a page that shows the contract?
pub(crate) fn is_page(route: &str) -> bool {
    route == "/docs" || route.starts_with("/docs/")
}

fn unauthenticated() -> Problem {
    let detail = "this store wants a key: send `Authorization: Bearer ps_…`; an administrator makes one with \
                  `prompt-store keys create`, or POST /api/v1/keys";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

fn forbidden(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
