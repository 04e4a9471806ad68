//! Integrations of the first version keep working: every path of theirs, in their envelope.
use axum::http::Method;
use serde_json::{Value, json};
use support::{TestApp, caller};

/// What the envelope holds.
fn data(envelope: &Value) -> &Value {
    assert_eq!((&envelope["success"], envelope["message"].is_string()), (&json!(true), true), "{envelope}");
    assert!(envelope["timestamp"].is_string(), "{envelope}");
    &envelope["data"]
}

async fn made(test: &TestApp, name: &str, content: &str) -> Value {
    let old = json!({ "category": "old", "name": name, "content": content, "unknown": "is ignored" });
    data(&test.post("/prompts", old).await.expect(201)).clone()
}

#[tokio::test]
async fn a_prompt_is_made_listed_read_changed_and_deleted() {
    let test = TestApp::api().await;
    let double = made(&test, "double", "Hello {{name}}, {{ rest }} {\"a\": 1}").await;
    let single = made(&test, "single", "Hello {name}, {rest}").await;
    assert_eq!((&double["template_format"], &single["template_format"]), (&json!("simple"), &json!("simple_fstring")));

    for (name, filled) in [("double", "Hello Ada, {{ rest }} {\"a\": 1}"), ("single", "Hello Ada, {rest}")] {
        let read = test.get(&format!("/prompts/search/old/{name}?name=Ada&other=x")).await.expect(200);
        assert_eq!((&data(&read)["prompt"], &data(&read)["version"]), (&json!(filled), &json!(1)));
    }
    let listed = test.get("/prompts?category=old").await.expect(200);
    assert_eq!(data(&listed).as_array().unwrap().len(), 2);
    assert!(data(&listed)[0]["content"].is_string());

    let path = format!("/prompts/{}", single["id"].as_str().unwrap());
    let changed = test.put(&path, json!({ "content": "Bye {name}" })).await.expect(200);
    assert_eq!((&data(&changed)["version"], &data(&changed)["variables"]), (&json!(2), &json!(["name"])));
    let read = test.get("/prompts/search/old/single?name=Ada").await.expect(200);
    assert_eq!(data(&read)["prompt"], "Bye Ada");
    data(&test.delete(&path).await.expect(200));

    let gone = test.get("/prompts/search/old/single").await;
    let gone = gone.expect(404);
    assert_eq!((&gone["success"], &gone["data"], &gone["code"]), (&json!(false), &Value::Null, &json!("not-found")));
    assert_eq!(gone["message"], gone["detail"]);
}

#[tokio::test]
async fn a_chat_prompt_has_its_messages_filled() {
    let test = TestApp::api().await;
    let messages = json!([{ "role": "system", "content": "Be {{tone}}." }, { "role": "user", "content": "Hi" }]);
    test.post("/api/v1/prompts", json!({ "category": "c", "name": "n", "messages": messages })).await.expect(201);

    let read = test.get("/prompts/search/c/n?tone=kind").await.expect(200);

    assert_eq!(data(&read)["prompt"][0], json!({ "role": "system", "content": "Be kind." }));
}

#[tokio::test]
async fn the_share_of_an_ab_test_is_that_of_b() {
    let test = TestApp::api().await;
    let (a, b) = (made(&test, "a", "a").await, made(&test, "b", "b").await);
    let body = json!({ "name": "x", "prompt_a_id": a["id"], "prompt_b_id": b["id"], "traffic_split": 0.9999 });

    let envelope = test.post("/ab-tests", body).await.expect(201);

    let shown = data(&envelope);
    assert_eq!((&shown["traffic_split"], &shown["variants"][1]["weight"]), (&json!(0.9999), &json!(0.9999)));
    let id = shown["id"].as_str().unwrap();
    let selection = test.get(&format!("/ab-tests/{id}/select?user_id=u")).await.expect(200);
    assert_eq!(
        (&data(&selection)["variant"], &data(&selection)["selected_prompt"]["content"]),
        (&json!("B"), &json!("b"))
    );
}

#[tokio::test]
async fn usage_is_taken_and_summed_up() {
    let test = TestApp::api().await;
    let prompt = made(&test, "a", "a").await;
    let call = json!({ "prompt_id": prompt["id"], "success": true, "response_time_ms": 12.5 });
    assert_eq!(data(&test.post("/usage", call).await.expect(202)), &json!({ "accepted": 1, "duplicates": 0 }));
    shared::analytics::order_roll_up(&test.app, &caller()).await.unwrap();
    test.work().await;

    let all = test.get("/analytics?days=7").await.expect(200);
    let one = test.get(&format!("/analytics?prompt_id={}", prompt["id"].as_str().unwrap())).await.expect(200);

    assert_eq!((&data(&all)["totals"]["events"], &data(&one)["totals"]["events"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_collection_is_taken_in_and_again_changes_nothing() {
    let test = TestApp::api().await;
    made(&test, "there", "before").await;
    let yaml = "old:\n  there: after\n  new:\n    content: Hi {name}\n    variables: [name]\n    description: d\nother:\n  bad: ''\n";
    let migrate =
        |query: &'static str| test.request(Method::POST, query, &[("content-type", "application/yaml")], yaml);

    let dry = migrate("/migrate?dry_run=true").await.expect(200);
    assert_eq!(
        (&data(&dry)["created"], &data(&dry)["updated"], &data(&dry)["failed"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 1);
    let first = migrate("/migrate").await.expect(200);
    let again = migrate("/migrate").await.expect(200);

    assert_eq!(
        (&data(&first)["created"], &data(&first)["updated"], &data(&first)["failed"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&data(&again)["created"], &data(&again)["unchanged"]), (&json!(0), &json!(2)));
    let read = test.get("/prompts/search/old/new?name=Ada").await.expect(200);
    assert_eq!(data(&read)["prompt"], "Hi Ada");
    let bad = test.request(Method::POST, "/migrate", &[("content-type", "application/yaml")], "- a\n- b\n").await;
    assert_eq!(bad.expect(422)["code"], "validation-failed");
}

#[tokio::test]
async fn a_collection_with_an_idempotency_key_is_taken_in_whole_and_answered_again() {
    let test = TestApp::api().await;
    made(&test, "there", "before").await;
    let yaml = "a:\n  one: first text\n  two: second text\n  three: third text\nold:\n  there: after\n  bad: ''\n";
    let migrate = async |body: &'static str, key: &str| {
        let headers = [("content-type", "application/yaml"), ("idempotency-key", key)];
        test.request(Method::POST, "/migrate", &headers, body).await
    };

    let first = migrate(yaml, "k1").await.expect(200);
    let prompts = "SELECT count(*) FROM prompts";
    assert_eq!(
        (&data(&first)["created"], &data(&first)["updated"], &data(&first)["failed"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert_eq!((test.count(prompts).await, test.count("SELECT count(*) FROM versions").await), (4, 5));
    for name in ["one", "two", "three"] {
        test.get(&format!("/prompts/search/a/{name}")).await.expect(200);
    }
    let again = migrate(yaml, "k1").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(data(&again.expect(200)), data(&first));
    assert_eq!((test.count(prompts).await, test.count("SELECT count(*) FROM versions").await), (4, 5));
    assert_eq!(migrate("a:\n  four: x\n", "k1").await.code(422), "idempotency-mismatch");
    let unchanged = migrate(yaml, "k2").await.expect(200);
    assert_eq!((&data(&unchanged)["unchanged"], &data(&unchanged)["failed"]), (&json!(4), &json!(1)));
}

#[tokio::test]
async fn a_dry_run_says_of_each_prompt_what_the_run_then_does() {
    let test = TestApp::api().await;
    made(&test, "there", "before").await;
    made(&test, "same", "Hi {name}").await;
    let long = "x".repeat(513 * 1024);
    let yaml = format!(
        "old:\n  there: {long}\n  same:\n    content: Hi {{name}}\n    description: new\n  ' three': one\n  three: two\n  four: 'x'\n"
    );
    let migrate = async |path: &str| {
        let reply = test.request(Method::POST, path, &[("content-type", "application/yaml")], yaml.clone()).await;
        data(&reply.expect(200)).clone()
    };
    let (dry, run) = (migrate("/migrate?dry_run=true").await, migrate("/migrate").await);
    assert_eq!(dry["prompts"], run["prompts"]);
    let outcomes: Vec<_> =
        run["prompts"].as_array().unwrap().iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["created", "created", "updated", "failed", "updated"], "{run}");
    assert_eq!(test.count("SELECT count(*) FROM prompts WHERE description = 'new' AND version = 1").await, 1);
}

#[tokio::test]
async fn a_prompt_is_filled_as_the_second_version_fills_it() {
    let test = TestApp::api().await;
    let prompts = [
        ("jinja2", "{% if a %}{{ a }}{% endif %} {b}", json!({ "a": { "type": "integer" } })),
        ("fstring", "{a} and {{b}} {b}", json!({})),
        ("mustache", "{{#a}}{{a}}{{/a}} {{b}}", json!({})),
        ("none", "{a} and {{b}}", json!({})),
        ("simple", "{{a}} {{b}}", json!({ "a": { "default": "DEF" } })),
        ("simple_fstring", "{a} {{b}}", json!({ "a": { "default": 1.5 } })),
    ];
    for (format, content, schema) in prompts {
        let new = json!({
            "category": "c", "name": format, "content": content, "template_format": format, "input_schema": schema,
        });
        test.post("/api/v1/prompts", new).await.expect(201);
        for query in ["a=1&b=2", "b=2&a=", "b=%7B%7Ba%7D%7D&a=x"] {
            let now = test.get(&format!("/api/v1/prompts/search/c/{format}?{query}")).await;
            let before = test.get(&format!("/prompts/search/c/{format}?{query}")).await;
            assert_eq!(before.status, now.status, "{content} {query}");
            if now.status == 200 {
                let (now, before) = (now.expect(200), before.expect(200));
                assert_eq!(data(&before)["prompt"], now["filled_content"], "{content} {query}");
            }
        }
    }
    for (name, prompt) in [("simple", "DEF {{b}}"), ("simple_fstring", "1.5 {{b}}")] {
        let read = test.get(&format!("/prompts/search/c/{name}?z=1")).await.expect(200);
        assert_eq!(data(&read)["prompt"], prompt);
    }
    assert_eq!(test.get("/prompts/search/c/jinja2").await.code(422), "missing-variables");
}

#[tokio::test]
async fn a_change_keeps_the_format_of_a_prompt() {
    let test = TestApp::api().await;
    for (format, content, changed, kept) in [
        ("jinja2", "{{ a }}", "{% if a %}{a}{% endif %}", "jinja2"),
        ("mustache", "{{a}}", "{a}", "mustache"),
        ("fstring", "{a}", "{a} {{b}}", "fstring"),
        ("none", "{a}", "{{a}}", "none"),
        ("simple", "{{a}}", "no braces", "simple"),
        ("simple_fstring", "{a}", "{a} {b}", "simple_fstring"),
        ("simple", "{{a}}", "{a} {b}", "simple_fstring"),
    ] {
        let name = format!("{format} {changed}");
        let new = json!({ "category": "c", "name": name, "content": content, "template_format": format });
        let made = test.post("/api/v1/prompts", new).await.expect(201);
        let path = format!("/prompts/{}", made["id"].as_str().unwrap());
        let answer = test.put(&path, json!({ "content": changed })).await.expect(200);
        assert_eq!(data(&answer)["template_format"], kept, "{format} {changed}");
    }
}

#[tokio::test]
async fn a_write_without_if_match_is_refused_where_one_is_required() {
    let test = TestApp::with(&["--require-if-match", "true"]).await;
    let made = made(&test, "a", "a").await;
    let path = format!("/prompts/{}", made["id"].as_str().unwrap());
    assert_eq!(test.put(&path, json!({ "content": "b" })).await.code(428), "if-match-required");
    assert_eq!(test.delete(&path).await.code(428), "if-match-required");
    let seen = [("if-match", "\"1\"")];
    data(&test.put_with(&path, &seen, json!({ "content": "b" })).await.expect(200));
    assert_eq!(test.request(Method::DELETE, &path, &seen, "").await.code(412), "version-mismatch");
    data(&test.request(Method::DELETE, &path, &[("if-match", "\"2\"")], "").await.expect(200));
}
