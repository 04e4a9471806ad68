//! Keys for some folders, or for some labels.
use axum::http::Method;
use serde_json::{Value, json};

use super::{ADMIN, ask, closed, made, prompt};

#[tokio::test]
async fn a_key_for_a_folder_sees_and_changes_nothing_else() {
    let test = closed().await;
    let (own, other) = (prompt(&test, "writing/blog", "own").await, prompt(&test, "code", "other").await);
    let scopes = json!(["prompts:read", "prompts:write", "prompts:publish"]);
    let (_, key) = made(&test, json!({ "scopes": scopes, "folders": ["writing/*"] })).await;
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    for (method, path, body, status) in [
        (get.clone(), format!("/api/v1/prompts/{own}"), Value::Null, 200),
        (get.clone(), format!("/api/v1/prompts/{other}"), Value::Null, 404),
        (get.clone(), format!("/api/v1/prompts/{other}/versions"), Value::Null, 404),
        (get.clone(), format!("/api/v1/prompts/{own}/suggestions"), Value::Null, 200),
        (get.clone(), format!("/api/v1/prompts/{other}/suggestions"), Value::Null, 404),
        (get.clone(), "/api/v1/prompts/search/writing%2Fblog/own".to_owned(), Value::Null, 200),
        (get.clone(), "/api/v1/prompts/search/code/other".to_owned(), Value::Null, 403),
        (get.clone(), "/api/v1/prompts/search/code/nobody".to_owned(), Value::Null, 403),
        (get.clone(), "/prompts/search/code/other".to_owned(), Value::Null, 403),
        (get.clone(), "/prompts".to_owned(), Value::Null, 403),
        (get.clone(), format!("/api/v1/prompts/{own}/related"), Value::Null, 403),
        (get.clone(), format!("/api/v1/prompts/{own}/relationships"), Value::Null, 403),
        (get.clone(), "/api/v1/documents".to_owned(), Value::Null, 403),
        (get.clone(), "/api/v1/lifecycle/counts".to_owned(), Value::Null, 403),
        (post.clone(), "/api/v1/prompts".to_owned(), json!({ "category": "code", "name": "n", "content": "x" }), 403),
        (
            post.clone(),
            "/api/v1/prompts".to_owned(),
            json!({ "category": "writing", "name": "n", "content": "x" }),
            201,
        ),
        (post.clone(), format!("/api/v1/prompts/{own}/fork"), json!({ "category": "code", "new_name": "f" }), 403),
        (put.clone(), format!("/api/v1/prompts/{own}"), json!({ "category": "code" }), 403),
        (put.clone(), format!("/api/v1/prompts/{other}"), json!({ "category": "writing" }), 404),
        (put.clone(), format!("/api/v1/prompts/{other}/labels/production"), json!({ "version": 1 }), 404),
        (put, format!("/api/v1/prompts/{other}/lifecycle"), json!({ "status": "published" }), 404),
        (delete.clone(), format!("/api/v1/prompts/{other}"), Value::Null, 404),
        (delete.clone(), format!("/api/v1/prompts/{own}"), Value::Null, 204),
        (post.clone(), format!("/api/v1/prompts/{own}/restore"), Value::Null, 200),
    ] {
        let reply = ask(&test, &key, method.clone(), &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    }
    ask(&test, ADMIN, delete, &format!("/api/v1/prompts/{other}"), Value::Null).await.expect(204);
    ask(&test, &key, post, &format!("/api/v1/prompts/{other}/restore"), Value::Null).await.expect(404);
    let there = test.count("SELECT count(*) FROM prompts WHERE category = 'code'").await;
    assert_eq!(there, 1);
}

/// What a list shows of each item.
fn shown(page: &Value, list: &str, field: &str) -> Vec<String> {
    let text = |item: &Value| item.pointer(field).unwrap().as_str().unwrap().to_owned();
    let mut all: Vec<_> = page[list].as_array().unwrap().iter().map(text).collect();
    all.sort();
    all
}

#[tokio::test]
async fn lists_and_searches_show_a_key_its_folders_as_if_there_were_no_others() {
    let test = closed().await;
    for (category, name, tags) in [
        ("writing", "one word", json!(["shared", "prose"])),
        ("writing/blog", "two words", json!(["shared"])),
        ("writings", "three words", json!(["secret"])),
        ("code", "four words", json!(["shared", "secret"])),
        ("only", "five words", json!([])),
        ("only/below", "six words", json!(["secret"])),
    ] {
        let content = format!("{name}, zebrafish in {category}");
        let body = json!({ "category": category, "name": name, "content": content, "tags": tags });
        ask(&test, ADMIN, Method::POST, "/api/v1/prompts", body).await.expect(201);
    }
    let folders = json!(["writing/*", "only"]);
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"], "folders": folders })).await;
    let get = async |path: &str| ask(&test, &key, Method::GET, path, Value::Null).await.expect(200);
    let own = ["five words", "one word", "two words"];

    for (path, expected) in [
        ("/api/v1/prompts", &own[..]),
        ("/api/v1/prompts?sort=name&tag=shared", &["one word", "two words"]),
        ("/api/v1/prompts?category=writing/*", &["two words"]),
        ("/api/v1/prompts?category=code", &[]),
        ("/api/v1/prompts?category=only/*", &[]),
        ("/api/v1/prompts/lifecycle/draft", &own),
    ] {
        let page = get(path).await;
        assert_eq!(shown(&page, "items", "/name"), expected, "{path}");
        assert_eq!(page["total"], expected.len(), "{path}");
    }
    let page = get("/api/v1/prompts/categories").await;
    assert_eq!(
        (shown(&page, "items", "/category"), &page["total"]),
        (["only", "writing", "writing/blog"].map(str::to_owned).to_vec(), &json!(3))
    );
    let page = get("/api/v1/prompts/tags").await;
    assert_eq!(
        (shown(&page, "items", "/tag"), &page["total"]),
        (["prose", "shared"].map(str::to_owned).to_vec(), &json!(2))
    );
    assert_eq!(page["items"][1]["count"], 2, "those of others are not counted");

    let found = async |query: Value| ask(&test, &key, Method::POST, "/api/v1/prompts/search", query).await.expect(200);
    let page = found(json!({ "query": "zebrafish", "facets": ["category", "tags"] })).await;
    assert_eq!((shown(&page, "items", "/prompt/name"), &page["total"]), (own.map(str::to_owned).to_vec(), &json!(3)));
    assert!(!page.to_string().contains("secret") && !page.to_string().contains("code"), "{page}");
    let page = found(json!({ "query": "zebrafish", "category": "code", "facets": ["category"] })).await;
    assert_eq!(page["total"], 0);
    assert!(!page["facets"].to_string().contains("code"), "{page}");
    let suggested = get("/api/v1/prompts/suggest?q=f").await;
    assert_eq!(shown(&suggested, "suggestions", "/text"), ["five words"]);
    assert_eq!(get("/api/v1/prompts/suggest?q=sec").await["suggestions"], json!([]));
    // A word that only others use is not told as a correction.
    ask(
        &test,
        ADMIN,
        Method::POST,
        "/api/v1/prompts",
        json!({ "category": "code", "name": "x", "content": "quetzalcoatl" }),
    )
    .await
    .expect(201);
    let page = found(json!({ "query": "quetzalcoatk" })).await;
    assert!(!page.to_string().contains("quetzalcoatl"), "{page}");

    let (_, wide) = made(&test, json!({ "scopes": ["prompts:read"] })).await;
    let first = ask(&test, &wide, Method::GET, "/api/v1/prompts?limit=1", Value::Null).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/v1/prompts?limit=1&cursor={cursor}");
    ask(&test, &key, Method::GET, &path, Value::Null).await.problem(400, "bad-cursor");
}

#[tokio::test]
async fn a_key_for_a_folder_reports_and_sees_the_use_of_its_prompts() {
    let test = closed().await;
    let (own, other) = (prompt(&test, "a", "own").await, prompt(&test, "b", "other").await);
    let (_, key) = made(&test, json!({ "scopes": ["analytics"], "folders": ["a"] })).await;
    let event = |id: &str| json!({ "prompt_id": id, "version": 1, "success": true });
    let usage = "/api/v1/analytics/usage";
    ask(&test, &key, Method::POST, usage, event(&own)).await.expect(202);
    for (body, pointer) in [(event(&other), "/version"), (json!([event(&own), event(&other)]), "/1/version")] {
        let refused = ask(&test, &key, Method::POST, usage, body).await.violations();
        assert_eq!(refused, [(pointer.to_owned(), "unknown-version".to_owned())]);
    }
    assert_eq!(test.count("SELECT count(*) FROM usage_events").await, 1);
    for (path, status) in [
        (format!("{usage}?prompt_id={own}"), 200),
        (format!("{usage}?prompt_id={other}"), 404),
        (usage.to_owned(), 403),
        (format!("/api/v1/analytics/prompts/{own}"), 200),
        (format!("/api/v1/analytics/prompts/{other}"), 404),
        ("/api/v1/analytics/summary".to_owned(), 403),
    ] {
        let reply = ask(&test, &key, Method::GET, &path, Value::Null).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_key_for_a_folder_has_its_prompts_refined_and_reads_no_others_into_them() {
    let test = closed().await;
    let (own, other) = (prompt(&test, "a", "own  text ").await, prompt(&test, "b", "other  text ").await);
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read", "prompts:write"], "folders": ["a"] })).await;
    let order = json!({ "refinement_instructions": "Tidy it up.", "llm_service": "rules" });
    let refine = async |key: &str, id: &str, order: Value| {
        ask(&test, key, Method::POST, &format!("/api/v1/prompts/{id}/refine"), order).await
    };
    let session = async |key: &str, begun: &Value| {
        let path = format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap());
        ask(&test, key, Method::GET, &path, Value::Null).await
    };
    let theirs = refine(ADMIN, &other, order.clone()).await.expect(202);
    let ours = refine(&key, &own, order.clone()).await.expect(202);
    refine(&key, &other, order.clone()).await.expect(404);
    test.work().await;
    session(&key, &ours).await.expect(200);
    session(&key, &theirs).await.expect(404);
    let document = session(ADMIN, &theirs).await.expect(200)["document"]["id"].clone();
    let stolen = support::merged(order, json!({ "context_documents": [document] }));
    let refused = refine(&key, &own, stolen).await.violations();
    assert_eq!(refused, [("/context_documents/0".to_owned(), "unknown-document".to_owned())]);
}

#[tokio::test]
async fn a_batch_gives_each_item_what_the_key_may_have() {
    let test = closed().await;
    for (category, name) in [("a", "one"), ("b", "two")] {
        prompt(&test, category, name).await;
    }
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"], "folders": ["a"] })).await;
    let items = json!({ "items": [{ "category": "a", "name": "one" }, { "category": "b", "name": "two" }] });
    let answer = ask(&test, &key, Method::POST, "/api/v1/prompts/batch-get", items).await.expect(200);
    assert_eq!(answer["results"][0]["content"], "one in a");
    assert_eq!(answer["results"][1]["problem"]["status"], 403, "{answer}");
}

#[tokio::test]
async fn a_key_for_a_label_reads_by_it_and_by_no_other_way() {
    let test = closed().await;
    let id = prompt(&test, "c", "n").await;
    let path = format!("/api/v1/prompts/{id}");
    for (label, version) in [("staging", 1), ("production", 1), ("dev", 2)] {
        if version == 2 {
            ask(&test, ADMIN, Method::PUT, &path, json!({ "content": "new" })).await.expect(200);
        }
        let label = format!("{path}/labels/{label}");
        ask(&test, ADMIN, Method::PUT, &label, json!({ "version": version })).await.expect(200);
    }
    let scopes = json!(["prompts:read", "prompts:write"]);
    let (_, key) = made(&test, json!({ "scopes": scopes, "labels": ["staging", "dev"], "default_label": "dev" })).await;
    let by_name = "/api/v1/prompts/search/c/n";
    for (query, status, content) in [
        ("", 200, "new"),
        ("?label=staging", 200, "n in c"),
        ("?label=production", 403, ""),
        ("?label=nowhere", 403, ""),
        ("?version=1", 403, ""),
    ] {
        let reply = ask(&test, &key, Method::GET, &format!("{by_name}{query}"), Value::Null).await;
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
        assert_eq!(reply.body["content"].as_str().unwrap_or(""), content, "{query}");
    }
    for (method, path, status) in [
        (Method::GET, path.clone(), 403),
        (Method::GET, format!("{path}/versions/1"), 403),
        (Method::GET, "/api/v1/prompts".to_owned(), 403),
        (Method::PUT, format!("{path}/labels/staging"), 200),
        (Method::PUT, format!("{path}/labels/other"), 403),
    ] {
        let body = if method == Method::PUT { json!({ "version": 2 }) } else { Value::Null };
        let reply = ask(&test, &key, method.clone(), &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_default_label_is_served_where_nothing_is_named() {
    let test = closed().await;
    let path = format!("/api/v1/prompts/{}", prompt(&test, "c", "n").await);
    ask(&test, ADMIN, Method::PUT, &path, json!({ "content": "new" })).await.expect(200);
    for (label, version) in [("production", 1), ("staging", 2)] {
        let path = format!("{path}/labels/{label}");
        ask(&test, ADMIN, Method::PUT, &path, json!({ "version": version })).await.expect(200);
    }
    let (_, key) = made(&test, json!({ "scopes": ["prompts:read"], "default_label": "staging" })).await;
    for (who, query, content) in [(ADMIN, "", "n in c"), (&key, "", "new"), (&key, "?label=production", "n in c")] {
        let path = format!("/api/v1/prompts/search/c/n{query}");
        let served = ask(&test, who, Method::GET, &path, Value::Null).await.expect(200);
        assert_eq!(served["content"], content, "{query}");
    }
}
