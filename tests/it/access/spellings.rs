//! A key for one folder, and every way to write the address of what is in another.
use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, Uri};
use serde_json::{Value, json};
use support::{TestApp, figure, merged};

use super::{ADMIN, ask, bearer, closed, made, prompt};

/// Stands in every text of the other folder.
const SECRET: &str = "TOPSECRET";
const CATEGORY: &str = "secret/vault";

/// What is in the other folder, and a prompt of the key's own.
struct Store {
    test: TestApp,
    key: String,
    own: String,
    /// By the part of a route that says what its ids are of; `prompts`, if none does.
    ids: BTreeMap<&'static str, String>,
    deleted: String,
    /// A prompt of the other folder that was never used.
    second: String,
}

async fn made_by_admin(test: &TestApp, path: &str, body: Value) -> Value {
    let reply = ask(test, ADMIN, Method::POST, path, body).await;
    assert!(reply.status.is_success(), "{path}: {}", reply.body);
    reply.body
}

fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

async fn store() -> Store {
    let test = closed().await;
    let mut secrets = Vec::new();
    for name in ["first", "second", "deleted"] {
        let body = json!({ "category": CATEGORY, "name": name, "content": format!("{SECRET} {name}  text ") });
        secrets.push(id_of(&made_by_admin(&test, "/api/v1/prompts", body).await));
    }
    let [id, second, deleted] = secrets.try_into().unwrap();
    let path = format!("/api/v1/prompts/{id}");
    let put = async |path: String, body: Value| ask(&test, ADMIN, Method::PUT, &path, body).await.expect(200);
    put(format!("{path}/content"), json!({ "content": format!("{SECRET} second text") })).await;
    put(format!("{path}/labels/staging"), json!({ "version": 1 })).await;
    put(format!("{path}/lifecycle"), json!({ "status": "published" })).await;
    put(format!("{path}/drift/baseline"), json!({ "version": 1 })).await;
    ask(&test, ADMIN, Method::DELETE, &format!("/api/v1/prompts/{deleted}"), Value::Null).await.expect(204);
    let order = json!({ "refinement_instructions": "Tidy it up.", "llm_service": "rules" });
    let begun = made_by_admin(&test, &format!("{path}/refine"), order).await;
    let relationship = json!({ "target_prompt_id": second, "relationship_type": "references" });
    let relationship = made_by_admin(&test, &format!("{path}/relationships"), relationship).await;
    let ab_test = json!({ "name": SECRET, "prompt_a_id": id, "prompt_b_id": second, "test_metric": "success_rate" });
    let ab_test = made_by_admin(&test, "/api/v1/ab-tests", ab_test).await;
    let hook = json!({ "name": SECRET, "url": "https://hooks.example.com/", "events": ["webhook.disabled"] });
    let hook = made_by_admin(&test, "/api/v1/webhooks", hook).await;
    let order = json!([{ "category": CATEGORY, "name": "third", "content": SECRET }]);
    let operation = made_by_admin(&test, "/api/v1/bulk/prompts", order).await;
    test.work().await;
    let session = begun["session_id"].as_str().unwrap().to_owned();
    let done = ask(&test, ADMIN, Method::GET, &format!("/api/v1/refinement/sessions/{session}"), Value::Null).await;
    let document = done.expect(200)["document"]["id"].as_str().unwrap().to_owned();
    let jobs = ask(&test, ADMIN, Method::GET, "/api/v1/jobs?limit=1", Value::Null).await.expect(200);
    let own = prompt(&test, "mine", "one of mine").await;
    let published = json!({ "status": "published" });
    ask(&test, ADMIN, Method::PUT, &format!("/api/v1/prompts/{own}/lifecycle"), published).await.expect(200);
    let scopes: Vec<_> = super::matrix::SCOPES.iter().filter(|scope| **scope != "admin").collect();
    let (key_id, key) = made(&test, json!({ "scopes": scopes, "folders": ["mine"] })).await;
    let ids = BTreeMap::from([
        ("prompts", id),
        ("webhooks", id_of(&hook)),
        ("jobs", jobs["items"][0]["id"].as_str().unwrap().to_owned()),
        ("keys", key_id),
        ("operations", id_of(&operation)),
        ("documents", document),
        ("relationships", id_of(&relationship)),
        ("refinement", session),
        ("ab-tests", id_of(&ab_test)),
    ]);
    Store { test, key, own, ids, deleted, second }
}

impl Store {
    /// What a parameter of a route is, so that it is about the other folder.
    fn value(&self, template: &str, name: &str) -> String {
        let kinds = ["webhooks", "jobs", "keys", "operations", "documents", "relationships", "refinement", "ab-tests"];
        let below_prompts = template.starts_with("/api/v1/prompts/{id}") || template.starts_with("/api/v1/analytics");
        let kind = kinds.into_iter().find(|kind| !below_prompts && template.split('/').any(|part| part == *kind));
        match name {
            "id" => self.ids[kind.unwrap_or("prompts")].clone(),
            "session" | "a" | "b" => self.ids["refinement"].clone(),
            "category" => CATEGORY.replace('/', "%2F"),
            "name" => "first".to_owned(),
            "label" => "staging".to_owned(),
            "version" => "1".to_owned(),
            "rule" => "C08".to_owned(),
            "status" => "published".to_owned(),
            "delivery_id" => "dlv_01J9Z3N5T8QWERTYASDFGHZXCV".to_owned(),
            other => panic!("the parameter `{other}` of {template} is not known"),
        }
    }

    /// The parameters of a route and what they are.
    fn values(&self, template: &str) -> Vec<(String, String)> {
        let names = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(|name| (format!("{{{name}}}"), self.value(template, name))).collect()
    }

    async fn ask(&self, method: &Method, path: &str, body: &Value) -> support::Reply {
        let key = bearer(&self.key);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("content-type", "application/json"), ("authorization", key.as_str())];
        self.test.request(method.clone(), path, &headers, body).await
    }

    /// Whatever is written down says so there.
    async fn writes(&self) -> i64 {
        self.test.count("SELECT count(*) FROM audit_log").await
    }
}

/// What a request is to do, were it let in.
fn body(method: &Method, template: &str, number: usize) -> Value {
    let end = template.split("{id}").nth(1).unwrap_or(template);
    match (method, end) {
        (&Method::GET | &Method::DELETE, _) => Value::Null,
        (_, "/fork") => json!({ "category": "mine", "new_name": format!("stolen {number}") }),
        (_, "/content") => json!({ "content": "changed" }),
        (_, "/lifecycle") => json!({ "status": "deprecated" }),
        (_, "/refine") => json!({ "refinement_instructions": "Tidy it up.", "llm_service": "rules" }),
        (_, "/drift/baseline" | "/labels/{label}") => json!({ "version": 2 }),
        (_, "/suggestions/{rule}/suppression") => json!({ "reason": "because" }),
        (&Method::PUT, "") => json!({ "description": "changed" }),
        _ => json!({}),
    }
}

fn encoded(text: &str, is_upper: bool) -> String {
    text.bytes().map(|byte| if is_upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
}

/// Ways to write the value of a parameter. `%2F` in it stays one character.
fn of_value(value: &str) -> Vec<String> {
    let plain = value.replace("%2F", "/");
    let (first, rest) = value.split_at(1);
    let mut ways = vec![
        value.to_owned(),
        format!("{}{rest}", encoded(first, true)),
        format!("{}{rest}", encoded(first, false)),
        encoded(&plain, true),
        encoded(&plain, false),
        value.replace('_', "%5F"),
        value.replace('_', "%5f"),
        value.to_lowercase(),
        value.to_uppercase(),
        format!("%25{:02X}{rest}", first.as_bytes()[0]),
        format!("{value}%20"),
        format!("%20{value}"),
        format!("{value}%00"),
        format!("{value};x=1"),
        format!("{value}%2F"),
        format!("%2F{value}"),
        format!("{value}%2e"),
    ];
    ways.dedup();
    ways
}

/// Ways to write a path.
fn of_path(path: &str) -> Vec<String> {
    let slashes: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    let doubled = |at: &usize| format!("{}/{}", &path[..*at], &path[*at..]);
    let mut ways: Vec<String> = slashes.iter().map(doubled).collect();
    ways.push(path.replace('/', "//"));
    ways.push(format!("{path}/"));
    ways.push(format!("{path}?"));
    ways.push(format!("{path}?x=%2F..%2Fmine"));
    ways.extend(["/./", "/x/../", "/%2e%2e/"].map(|middle| path.replacen("/v1/", &format!("/v1{middle}"), 1)));
    ways.push(path.replacen("/prompts/", "/%70rompts/", 1));
    ways.push(path.replacen("/api/v1/prompts/", "/API/V1/PROMPTS/", 1));
    ways.push(format!("http://localhost{path}"));
    ways
}

/// Every address of a route that is about the other folder.
fn addresses(store: &Store, template: &str) -> BTreeSet<String> {
    let values = store.values(template);
    let fill = |values: &[(String, String)]| {
        values.iter().fold(template.to_owned(), |path, (name, value)| path.replacen(name.as_str(), value, 1))
    };
    let plain = fill(&values);
    let mut all = BTreeSet::from([plain.clone()]);
    for place in 0..values.len() {
        for way in of_value(&values[place].1) {
            let mut values = values.clone();
            values[place].1 = way;
            all.insert(fill(&values));
        }
    }
    all.extend(of_path(&plain));
    all.extend(of_path(&fill(
        &values.iter().map(|(name, value)| (name.clone(), encoded(value, true))).collect::<Vec<_>>(),
    )));
    all.retain(|address| address.parse::<Uri>().is_ok());
    all
}

/// Routes that answer such a key, with what is in its folder.
const OF_ITS_FOLDER: [&str; 1] = ["/api/v1/prompts/lifecycle/{status}"];

#[tokio::test(flavor = "multi_thread")]
async fn no_way_to_write_an_address_reaches_another_folder() {
    let store = store().await;
    let contract: Value = serde_json::from_str(&api::document()).unwrap();
    let (writes, mut routes, mut asked, mut faults) = (store.writes().await, 0, 0, Vec::new());
    let mut found: BTreeMap<u16, usize> = BTreeMap::new();
    for (template, methods) in contract["paths"].as_object().unwrap() {
        if !template.contains('{') {
            continue;
        }
        let mut all = addresses(&store, template);
        if template.ends_with("/restore") {
            let of_deleted = |address: &String| address.replace(&store.ids["prompts"], &store.deleted);
            all.extend(all.iter().map(of_deleted).collect::<Vec<_>>());
        }
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            routes += 1;
            for address in &all {
                let reply = store.ask(&method, address, &body(&method, template, asked)).await;
                asked += 1;
                let status = reply.status.as_u16();
                *found.entry(status).or_default() += 1;
                // Whether it is there is not told either.
                let right = [400, 403, 404, 405].contains(&status)
                    || ([200, 422].contains(&status) && OF_ITS_FOLDER.contains(&template.as_str()))
                    // A `?` more is another question about the same.
                    || (status == 422 && address.contains("?x="));
                if !right || String::from_utf8_lossy(&reply.bytes).contains(SECRET) {
                    faults.push(format!("{method} {address}: {status} {}", reply.body));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(store.writes().await, writes, "something was written");
    assert!(routes >= 40 && asked >= 1000, "{asked} requests to {routes} routes");
    figure(
        "addresses",
        format!("{asked} requests to {routes} routes in another folder, 0 answered from there: {found:?}"),
    );
}

/// Requests that name something of the other folder in their body or query, and what a key of `mine` is answered.
fn named_elsewhere(store: &Store) -> Vec<(Method, String, Value, &'static [u16])> {
    let (id, session, document, ab_test) =
        (&store.ids["prompts"], &store.ids["refinement"], &store.ids["documents"], &store.ids["ab-tests"]);
    let own = format!("/api/v1/prompts/{}", store.own);
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let refine = json!({ "refinement_instructions": "Tidy it up.", "llm_service": "rules" });
    let event = |id: &str| json!({ "prompt_id": id, "version": 1, "success": true });
    let at = |path: &str| path.to_owned();
    vec![
        (post.clone(), at("/api/v1/prompts"), json!({ "category": CATEGORY, "name": "new", "content": "x" }), &[403]),
        (post.clone(), format!("{own}/fork"), json!({ "category": CATEGORY, "new_name": "f" }), &[403]),
        (put.clone(), own.clone(), json!({ "category": CATEGORY }), &[403]),
        (put.clone(), format!("{own}/lifecycle"), json!({ "status": "deprecated", "successor_id": id }), &[422]),
        (
            post.clone(),
            format!("{own}/refine"),
            merged(refine.clone(), json!({ "context_documents": [document] })),
            &[422],
        ),
        (post.clone(), format!("{own}/refine"), merged(refine, json!({ "parent_session_id": session })), &[422]),
        (post.clone(), format!("{own}/refinement/apply/{session}"), json!({}), &[404]),
        (
            post.clone(),
            format!("{own}/relationships"),
            json!({ "target_prompt_id": id, "relationship_type": "references" }),
            &[403],
        ),
        (get.clone(), format!("/api/v1/refinement/compare/{session}/{session}"), Value::Null, &[404]),
        (get.clone(), format!("/api/v1/analytics/usage?prompt_id={id}"), Value::Null, &[404]),
        (get.clone(), format!("/api/v1/analytics/usage?prompt_id={}", encoded(id, true)), Value::Null, &[404]),
        (get.clone(), format!("/api/v1/documents?prompt_id={id}"), Value::Null, &[403]),
        (get.clone(), format!("/analytics?prompt_id={id}"), Value::Null, &[403]),
        (get.clone(), format!("/api/v1/prompts?category={}", encoded(CATEGORY, false)), Value::Null, &[200]),
        (
            get.clone(),
            at("/api/v1/prompts?category=secret/*&include=content&include_deleted=true"),
            Value::Null,
            &[200],
        ),
        (get.clone(), at("/api/v1/prompts?label=staging&include=content"), Value::Null, &[200]),
        (get.clone(), at("/api/v1/prompts/suggest?q=TOPS"), Value::Null, &[200]),
        (get.clone(), at("/prompts?category=secret%2Fvault"), Value::Null, &[403]),
        (
            post.clone(),
            at("/api/v1/prompts/search"),
            json!({ "query": SECRET, "category": CATEGORY, "facets": ["category"] }),
            &[200],
        ),
        (
            post.clone(),
            at("/api/v1/prompts/batch-get"),
            json!({ "items": [{ "category": CATEGORY, "name": "first" }] }),
            &[200],
        ),
        (post.clone(), at("/api/v1/analytics/usage"), event(id), &[422]),
        (post.clone(), at("/api/v1/analytics/usage"), json!([event(&store.own), event(id)]), &[422]),
        (post.clone(), at("/usage"), event(id), &[403]),
        (
            post.clone(),
            at("/api/v1/ab-tests"),
            json!({ "name": "t", "prompt_a_id": store.own, "prompt_b_id": id }),
            &[403],
        ),
        (get, format!("/api/v1/ab-tests/{ab_test}/select?user_id=u"), Value::Null, &[403]),
        (
            post.clone(),
            format!("/api/v1/ab-tests/{ab_test}/outcomes"),
            json!({ "unit_id": "u", "metric": "success_rate", "value": 1 }),
            &[403],
        ),
        (Method::DELETE, at("/api/v1/bulk/prompts"), json!([id]), &[403]),
        (put, at("/api/v1/bulk/prompts"), json!([{ "prompt_id": id, "category": "mine" }]), &[403]),
        (post.clone(), at("/api/v1/cache/warm"), json!({ "prompt_ids": [id] }), &[403, 404, 405]),
        (post, at("/migrate"), json!({ CATEGORY: { "first": "mine now" } }), &[403]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_folder_is_reached_by_naming_it_in_a_body_or_a_query() {
    let store = store().await;
    let (writes, mut asked) = (store.writes().await, 0);
    let escaped = |text: &str| text.replacen("prm_", "\\u0070rm\\u005f", 1);
    for (method, path, body, statuses) in named_elsewhere(&store) {
        let plain = if body.is_null() { String::new() } else { body.to_string() };
        let ids = [&store.ids["prompts"], &store.second].map(String::as_str);
        let lower = ids.iter().fold(plain.clone(), |text, id| text.replace(id, &id.to_lowercase()));
        for (way, text) in [("plain", plain.clone()), ("escaped", escaped(&plain)), ("lower case", lower)] {
            let key = bearer(&store.key);
            let headers = [("content-type", "application/json"), ("authorization", key.as_str())];
            let reply = store.test.request(method.clone(), &path, &headers, text.clone()).await;
            asked += 1;
            let status = reply.status.as_u16();
            // An id in lower case is none.
            assert!(
                statuses.contains(&status) || (way == "lower case" && status == 422),
                "{way} {method} {path} {text}: {status} {}",
                reply.body
            );
            // A search tells what was looked for.
            let told = String::from_utf8_lossy(&reply.bytes).replace(&format!("\"{SECRET}\""), "");
            assert!(!told.contains(SECRET), "{way} {method} {path}: {told}");
        }
    }
    assert_eq!(store.writes().await, writes, "something was written");
    figure("ids in bodies and queries", format!("{asked} requests, 0 answered from another folder"));
}
