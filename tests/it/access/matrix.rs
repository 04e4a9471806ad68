//! P-S1: every route of the contract, asked by everybody there is.
use std::{collections::BTreeMap, fmt::Write, time::Duration};

use axum::http::Method;
use serde_json::{Value, json};
use support::{TestApp, figure};

use super::{ADMIN, ask, bearer, closed, made, prompt};

/// A route, with the names in its path filled.
struct Route {
    method: Method,
    template: String,
    path: String,
    scope: Option<String>,
}

fn routes(id: &str) -> Vec<Route> {
    let contract: Value = serde_json::from_str(&api::document()).unwrap();
    let mut routes = Vec::new();
    for (template, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let ways =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {template} asks for nothing"));
            let scope = ways.iter().find_map(|way| way["key"][0].as_str()).map(str::to_owned);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let unknown = "01J9Z3N5T8QWERTYASDFGHZXCV";
            let own = |prefix: &str| format!("{prefix}_{unknown}");
            let its = match template.split('/').find(|part| ["webhooks", "jobs", "keys", "operations"].contains(part)) {
                Some("webhooks") => own("whk"),
                Some("jobs") => own("job"),
                Some("keys") => own("key"),
                Some("operations") => own("op"),
                _ if template.starts_with("/api/v1/documents") => own("doc"),
                _ if template.starts_with("/api/v1/relationships") => own("rel"),
                _ if template.starts_with("/api/v1/refinement") => own("ref"),
                _ if template.contains("ab-tests") => own("abt"),
                _ => id.to_owned(),
            };
            let values = BTreeMap::from([
                ("{id}", its),
                ("{category}", "here".to_owned()),
                ("{name}", "n".to_owned()),
                ("{label}", "staging".to_owned()),
                ("{version}", "1".to_owned()),
                ("{rule}", "long".to_owned()),
                ("{status}", "draft".to_owned()),
                ("{session}", own("ref")),
                ("{delivery_id}", own("dlv")),
                ("{a}", own("ref")),
                ("{b}", own("ref")),
            ]);
            let path = values.iter().fold(template.clone(), |path, (name, value)| path.replace(name, value));
            assert!(!path.contains('{'), "{path}");
            routes.push(Route { method, template: template.clone(), path, scope });
        }
    }
    routes
}

async fn status(test: &TestApp, key: Option<&str>, route: &Route) -> u16 {
    let body = match route.method {
        Method::GET | Method::DELETE => Value::Null,
        _ if route.template == "/api/v1/prompts" => json!({ "category": "here", "name": "other", "content": "x" }),
        _ => json!({}),
    };
    match key {
        Some(key) => ask(test, key, route.method.clone(), &route.path, body).await.status.as_u16(),
        None => test.request(route.method.clone(), &route.path, &[], "").await.status.as_u16(),
    }
}

pub(super) const SCOPES: [&str; 9] = [
    "prompts:read",
    "prompts:write",
    "prompts:publish",
    "bulk",
    "webhooks",
    "analytics",
    "experiments",
    "metrics",
    "admin",
];

/// Everybody there is: by what they are called, a key for each scope that a route may ask for.
async fn everybody(test: &TestApp) -> Vec<(&'static str, BTreeMap<&'static str, Option<String>>)> {
    let alike = |key: Option<String>| SCOPES.iter().map(|scope| (*scope, key.clone())).collect::<BTreeMap<_, _>>();
    let end = (test.now() + Duration::from_secs(1)).to_string();
    let (_, expired) = made(test, json!({ "scopes": ["admin"], "expires_at": end })).await;
    test.advance(Duration::from_secs(2));
    let (revoked_id, revoked) = made(test, json!({ "scopes": ["admin"] })).await;
    ask(test, ADMIN, Method::DELETE, &format!("/api/v1/keys/{revoked_id}"), Value::Null).await.expect(204);
    let all: Vec<_> = SCOPES.iter().filter(|scope| **scope != "admin").collect();
    let (_, elsewhere) = made(test, json!({ "scopes": all, "folders": ["elsewhere/*"] })).await;
    let (mut wrong, mut right) = (BTreeMap::new(), BTreeMap::new());
    for scope in SCOPES {
        let others: Vec<_> = all.iter().filter(|other| **other != &scope).collect();
        wrong.insert(scope, Some(made(test, json!({ "scopes": others })).await.1));
        right.insert(scope, Some(made(test, json!({ "scopes": [scope] })).await.1));
    }
    vec![
        ("none", alike(None)),
        ("bad", alike(Some("not-a-key".to_owned()))),
        ("expired", alike(Some(expired))),
        ("revoked", alike(Some(revoked))),
        ("scope", wrong),
        ("folder", alike(Some(elsewhere))),
        ("right", right),
    ]
}

/// Each column is somebody: without a key, with one that is none, has ended, was taken back, has every scope but the one that
/// is asked for, is for another folder; and the right one, which is let in, whatever then becomes of an empty body.
#[tokio::test(flavor = "multi_thread")]
async fn row_33_34_35_every_route_lets_in_whom_it_should_and_nobody_else() {
    let test = closed().await;
    let everybody = everybody(&test).await;
    let heads: String = everybody.iter().map(|(who, _)| format!("{who:>8}")).collect();
    let mut table = format!("{:<75}{:<18}{heads}\n", "", "scope");
    let (mut asked, mut faults) = (0, Vec::new());
    let known = routes(&prompt(&test, "here", "known").await).len();
    for number in 0..known {
        // What the right key does to a prompt is not to matter to the next route.
        let name = format!("n{number}");
        let id = prompt(&test, "here", &name).await;
        let route = routes(&id).swap_remove(number);
        let route = Route { path: route.path.replace("/here/n", &format!("/here/{name}")), ..route };
        let scope = route.scope.clone().unwrap_or_default();
        let mut line = format!("{:<7}{:<68}{scope:<18}", route.method.as_str(), route.template);
        for (who, keys) in &everybody {
            let key = keys.get(scope.as_str()).cloned().unwrap_or_default();
            let found = status(&test, key.as_deref(), &route).await;
            asked += 1;
            let is_let_in = ![401, 403].contains(&found);
            let right = match (*who, scope.as_str()) {
                // Nothing is asked for.
                (_, "") => found == 200,
                ("none" | "bad" | "expired" | "revoked", _) => found == 401,
                // An administrator is for no folder.
                ("scope", _) | ("folder", "admin") => found == 403,
                // Of what is elsewhere it is said that it is forbidden, or not there.
                ("folder", _) => [403, 404].contains(&found) || OF_ALL_FOLDERS.contains(&route.template.as_str()),
                _ => is_let_in && (found < 500 || found == 503),
            };
            if !right {
                faults.push(format!("{} {}, {who}: {found}", route.method, route.template));
            }
            write!(line, "{found:>8}").unwrap();
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
    insta::assert_snapshot!("who_may_ask_what", table);
    figure("P-S1", format!("{known} routes, {asked} requests, each as it must be"));
}

/// Routes that a key for some folders may ask, as they show it what is in those and nothing else, or nothing at all.
const OF_ALL_FOLDERS: [&str; 11] = [
    "/api/v1/analytics/usage",
    "/api/v1/lifecycle/rules",
    "/api/v1/prompts",
    "/api/v1/prompts/batch-get",
    "/api/v1/prompts/categories",
    "/api/v1/prompts/lifecycle/{status}",
    "/api/v1/prompts/lint",
    "/api/v1/prompts/render",
    "/api/v1/prompts/search",
    "/api/v1/prompts/suggest",
    "/api/v1/prompts/tags",
];

#[tokio::test]
async fn row_33_37_who_is_refused_learns_how_to_come_in_and_nothing_else() {
    let test = closed().await;
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"] })).await;
    let mistyped = format!("{}x", &key[..key.len() - 1]);
    let unknown = key.replacen(&key[3..29], "01J9Z3N5T8QWERTYASDFGHZXCV", 1);
    let mut answers = Vec::new();
    for given in ["", "Bearer", "Basic YTpi", "Bearer x", &bearer(&mistyped), &bearer(&unknown)] {
        let headers: &[(&str, &str)] = if given.is_empty() { &[] } else { &[("authorization", given)] };
        let reply = test.request(Method::GET, "/api/v1/prompts", headers, "").await;
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        let mut problem = reply.problem(401, "unauthenticated");
        problem["request_id"] = Value::Null;
        answers.push(problem);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let in_query = test.request(Method::GET, &format!("/api/v1/prompts?key={key}"), &[], "").await;
    in_query.problem(401, "unauthenticated");
}
