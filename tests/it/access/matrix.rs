//! P-S1: every route of the contract, asked by everybody there is.
use std::{collections::BTreeMap, time::Duration};

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

/// How a key for another folder is refused: what it could not know of is not there.
fn elsewhere(route: &Route) -> u16 {
    let of_one = route.template.starts_with("/api/v1/prompts/{id}");
    let tells_of_others =
        ["related", "relationships", "graph", "used-by", "suggestions", "refine", "restore", "baseline"];
    let beyond =
        route.template.split('/').any(|part| tells_of_others.contains(&part)) || route.path.contains("refinement");
    if of_one && !beyond { 404 } else { 403 }
}

/// Routes that do not look into the store, so that every folder is the right one.
const OF_NO_FOLDER: [&str; 3] = ["/api/v1/prompts/render", "/api/v1/prompts/lint", "/api/v1/prompts/batch-get"];

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

#[tokio::test(flavor = "multi_thread")]
async fn row_33_34_35_every_route_lets_in_whom_it_should_and_nobody_else() {
    let test = closed().await;
    let id = prompt(&test, "here", "n").await;
    let all =
        ["prompts:read", "prompts:write", "prompts:publish", "bulk", "webhooks", "analytics", "experiments", "metrics"];
    let end = (test.now() + Duration::from_secs(1)).to_string();
    let (_, expired) = made(&test, json!({ "scopes": ["admin"], "expires_at": end })).await;
    test.advance(Duration::from_secs(2));
    let (revoked_id, revoked) = made(&test, json!({ "scopes": ["admin"] })).await;
    ask(&test, ADMIN, Method::DELETE, &format!("/api/v1/keys/{revoked_id}"), Value::Null).await.expect(204);
    let (_, elsewhere_key) = made(&test, json!({ "scopes": all, "folders": ["elsewhere/*"] })).await;
    let mut right = BTreeMap::new();
    let mut wrong = BTreeMap::new();
    for scope in all.iter().chain(&["admin"]) {
        right.insert(*scope, made(&test, json!({ "scopes": [scope] })).await.1);
        let others: Vec<_> = all.iter().filter(|other| *other != scope).collect();
        wrong.insert(*scope, made(&test, json!({ "scopes": others })).await.1);
    }

    let routes = routes(&id);
    let mut asked = 0;
    let mut faults = Vec::new();
    for route in &routes {
        let Some(scope) = route.scope.as_deref() else {
            assert!(["/health/live", "/health/ready"].contains(&route.path.as_str()), "{} is open", route.path);
            assert_eq!(status(&test, None, route).await, 200);
            continue;
        };
        let mut expectations = vec![
            ("no key", None, 401),
            ("no key of ours", Some("not-a-key"), 401),
            ("expired", Some(expired.as_str()), 401),
            ("revoked", Some(revoked.as_str()), 401),
            ("another scope", Some(wrong[scope].as_str()), 403),
        ];
        if scope != "admin" && !OF_NO_FOLDER.contains(&route.path.as_str()) {
            expectations.push(("another folder", Some(elsewhere_key.as_str()), elsewhere(route)));
        }
        for (who, key, expected) in expectations {
            asked += 1;
            let found = status(&test, key, route).await;
            if found != expected {
                faults.push(format!("{} {}, {who}: {found}, not {expected}", route.method, route.template));
            }
        }
        asked += 1;
        let found = status(&test, Some(&right[scope]), route).await;
        if [401, 403].contains(&found) || found >= 500 && found != 503 {
            faults.push(format!("{} {}, who may: {found}", route.method, route.template));
        }
    }
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
    figure("P-S1", format!("{} routes, {asked} requests, each as it must be", routes.len()));
}

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
