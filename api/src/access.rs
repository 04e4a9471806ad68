//! Who asks, and whether the route is for them. Each route says in the contract which scope it asks for; a contract with
//! a route that says nothing is refused when the router is built.
use std::{collections::HashMap, net::IpAddr, sync::Arc};

use axum::{
    extract::MatchedPath,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::{
    App, Error, access,
    caller::{Grant, Scope},
    id::PromptId,
    prompts::{self, Selector, Show},
};
use subtle::ConstantTimeEq;
use utoipa::openapi::OpenApi;

use crate::{Door, config::Edge, problem::Problem};

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

/// What each route of the contract asks for.
pub(crate) struct Scopes(HashMap<(Method, String), Wanted>);

/// What a route asks for.
#[derive(Clone, Copy)]
enum Wanted {
    /// Nothing.
    Nothing,
    /// A key with this scope.
    Key(Scope),
}

impl Scopes {
    /// As the contract says.
    ///
    /// # Panics
    ///
    /// If a route says nothing: nobody would know who may ask it.
    pub(crate) fn of(contract: &OpenApi) -> Self {
        let contract = serde_json::to_value(contract).expect("a contract is plain data");
        let operations = contract["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
        });
        let scope = |(path, method, operation): (&String, &String, &Value)| {
            let named =
                declared(operation).unwrap_or_else(|| panic!("{method} {path} does not say which scope it asks for"));
            let method =
                Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method of OpenAPI is one of HTTP");
            ((method, path.clone()), named)
        };
        Self(operations.map(scope).collect())
    }

    /// What a request asks for. What is not in the contract is a page about it, or not there.
    fn wanted(&self, method: &Method, route: &str) -> Wanted {
        // As axum answers it.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), route.to_owned())).copied().unwrap_or(Wanted::Nothing)
    }
}

/// None, if an operation does not say.
fn declared(operation: &Value) -> Option<Wanted> {
    let ways = operation["security"].as_array()?;
    let scopes: Vec<&str> =
        ways.iter().filter_map(|way| way["key"].as_array()).flatten().filter_map(Value::as_str).collect();
    match scopes.as_slice() {
        [] => Some(Wanted::Nothing),
        [only] => only.parse().ok().map(Wanted::Key),
        _ => None,
    }
}

/// Finds out who asks, and whether they may ask this.
pub(crate) async fn enter(door: &Door, scopes: &Scopes, request: &Parts) -> Result<Who, Problem> {
    let (app, path) = (&door.app, request.uri.path());
    door.limits.of_address(request)?;
    let Some(who) = who(door, request, path).await? else { return Ok(Who::nobody()) };
    door.limits.of_key(&who.actor)?;
    if who.grant.allows(Scope::Admin) {
        return Ok(who);
    }
    let Some(route) = request.extensions.get::<MatchedPath>() else { return Ok(who) };
    if let Wanted::Key(scope) = scopes.wanted(&request.method, route.as_str())
        && !who.grant.allows(scope)
    {
        return Err(forbidden(format!("this route needs a key with the scope `{scope}`")));
    }
    if who.grant.is_narrow() {
        check_narrow(app, &who.grant, request, route.as_str()).await?;
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
async fn who(door: &Door, request: &Parts, path: &str) -> Result<Option<Who>, Problem> {
    let (app, edge, headers) = (&door.app, &door.edge, &request.headers);
    if is_open(path) && edge.admin_key().is_some() {
        return Ok(None);
    }
    match (presented(headers), edge.admin_key()) {
        (Some(given), Some(admin)) if is_same(given, admin) => Ok(Some(Who::operator("admin"))),
        (Some(given), _) => match access::authenticate(app, given).await? {
            Some((id, grant)) => Ok(Some(Who { actor: id.to_string().into(), grant })),
            None => Err(door.limits.of_wrong_key(request, unauthenticated())),
        },
        (None, None) if edge.is_open(app.settings.env) => {
            check_host(edge, headers)?;
            Ok(Some(Who::operator("anonymous")))
        }
        (None, _) if is_open(path) => Ok(None),
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
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/health/live" | "/health/ready" | "/docs" | "/api/openapi.json") || path.starts_with("/docs/")
}

/// Without a key only this machine may ask, and a web page must not do so in its user's name: a page whose
/// host name was pointed here still says its own name.
fn check_host(edge: &Edge, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(host) = headers.get(header::HOST) else { return Ok(()) };
    let host = host.to_str().unwrap_or("?");
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let local =
        name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if local || edge.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    let detail = "without an admin key this store answers to `localhost` only; set PROMPT_STORE_ALLOWED_HOSTS, or an \
                  admin key";
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

/// Routes that ask for themselves how far a key reaches: the name is known to the domain only.
const BY_NAME: [&str; 6] = [
    "/api/v1/prompts/search/{category}/{name}",
    "/api/v1/prompts/batch-get",
    "/prompts/search/{category}/{name}",
    "/api/v1/prompts/render",
    "/api/v1/prompts/lint",
    "/api/v1/prompts/{id}/labels/{label}",
];

/// Routes about one prompt, which tell of no other.
const BY_ID: [&str; 13] = [
    "/api/v1/prompts/{id}",
    "/api/v1/prompts/{id}/content",
    "/api/v1/prompts/{id}/diff",
    "/api/v1/prompts/{id}/drift",
    "/api/v1/prompts/{id}/fork",
    "/api/v1/prompts/{id}/labels",
    "/api/v1/prompts/{id}/labels/{label}",
    "/api/v1/prompts/{id}/labels/history",
    "/api/v1/prompts/{id}/lifecycle",
    "/api/v1/prompts/{id}/lifecycle/history",
    "/api/v1/prompts/{id}/versions",
    "/api/v1/prompts/{id}/versions/{version}",
    "/api/v1/prompts/{id}/versions/{version}/rollback",
];

const PROMPTS: &str = "/api/v1/prompts";

/// A key for some prompts, or some of their versions, gets nowhere but where it is known how far it reaches.
async fn check_narrow(app: &App, grant: &Grant, request: &Parts, route: &str) -> Result<(), Problem> {
    let of_labels = !grant.labels.is_empty();
    let about_one = BY_ID.contains(&route);
    let known = BY_NAME.contains(&route) || (!of_labels && (about_one || route == PROMPTS));
    if !known {
        let what = if of_labels { "labels" } else { "folders" };
        return Err(forbidden(format!("a key for some {what} only cannot ask this route, which reaches beyond them")));
    }
    if about_one {
        return check_one(app, grant, request.uri.path()).await;
    }
    if route == PROMPTS && request.method != Method::POST {
        let query = request.uri.query().unwrap_or_default();
        let category = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "category");
        if !category.is_some_and(|(_, category)| grant.reaches_all_of(&category)) {
            let folders = grant.folders.join(", ");
            return Err(forbidden(format!("this key is for {folders} only: say `category=`, and one of those")));
        }
    }
    Ok(())
}

/// A prompt out of reach is not there, as far as such a key can tell.
async fn check_one(app: &App, grant: &Grant, path: &str) -> Result<(), Problem> {
    let id = path.strip_prefix(PROMPTS).and_then(|rest| rest.split('/').nth(1)).unwrap_or_default();
    let Ok(id) = id.parse::<PromptId>() else { return Ok(()) };
    let show = Show { content: false, usage_since: None };
    let prompt = prompts::get(app, id, &Selector::Latest, show).await?;
    if grant.reaches(&prompt.category) { Ok(()) } else { Err(Error::not_found("prompt", id).into()) }
}

fn unauthenticated() -> Problem {
    let detail = "this store wants a key: send `Authorization: Bearer ps_…`; an administrator makes one with \
                  `prompt-store keys create`, or POST /api/v1/keys";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

fn forbidden(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
