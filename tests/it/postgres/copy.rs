//! A whole store goes to a server and comes back, and nothing is lost on the way.
use std::path::Path;

use serde_json::{Value, json};
use shared::db::{AssertSqlSafe, Db};
use support::{Engine, PostgresServer, Processes, Receiver, caller, engine, open_for_bench, settings, until};

use super::SECRET;
use crate::{
    processes::{count, start::refuses},
    refinement::{framed, said},
};

/// A store that has some of everything, and its file.
async fn origin() -> (Processes, String) {
    let model = Receiver::answering(|_, _| said(&framed("third {{b}}, réfined"))).await;
    let store = Processes::embedded().with("INTERPRETER_URL", format!("http://{}", model.address()));
    let file = store.folder().join("origin.db").to_str().unwrap().to_owned();
    let store = store.with("PROMPT_STORE_DB", &file);
    fill(&store).await;
    (store, file)
}

async fn fill(store: &Processes) {
    let receiver = Receiver::start().await;
    let api = store.start_api().await;
    let post = async |path: &str, body: Value| {
        let (status, answer) = store.post(path, &body).await.unwrap();
        assert!((200..300).contains(&status), "{answer}");
        answer
    };
    let config = json!({ "z": 1, "a": [1.50, 1e2, null, "\u{1F600} 提示 \u{7f}"], "10": 0.1 });
    let prompt = post(
        "/api/v1/prompts",
        json!({ "category": "writing", "name": "Intro", "content": "{{a}} 'q' \"d\"\r\n\t\\x00",
        "tags": ["b", "a"], "config": config, "description": "" }),
    )
    .await;
    let path = format!("/api/v1/prompts/{}", prompt["id"].as_str().unwrap());
    let chat = json!({ "category": "writing", "name": "chat", "type": "chat", "messages": [{ "role": "user", "content": "{{x}}" }] });
    let chat = post("/api/v1/prompts", chat).await;
    let fork = post(&format!("{path}/fork"), json!({ "new_name": "fork" })).await;
    let relation = json!({ "target_prompt_id": fork["id"], "relationship_type": "similar", "strength": 0.1 });
    post(&format!("{path}/relationships"), relation).await;
    for (target, body) in [
        (format!("{path}/lifecycle"), json!({ "status": "published", "reason": "✓" })),
        (
            format!("{path}/lifecycle"),
            json!({ "status": "deprecated", "sunset_at": "2030-01-01T00:00:00Z", "successor_id": chat["id"] }),
        ),
        (format!("{path}/drift/baseline"), json!({ "version": 1 })),
        (format!("{path}/suggestions/C08/suppression"), json!({ "reason": "✓" })),
    ] {
        let put = store.client().put(store.url(&target)).json(&body);
        assert_eq!(put.send().await.unwrap().status(), 200);
    }
    for content in ["second", "third {{b}}"] {
        let put = store.client().put(store.url(&format!("{path}/content"))).json(&json!({ "content": content }));
        assert_eq!(put.send().await.unwrap().status(), 200);
    }
    for version in [1, 2] {
        let body = json!({ "version": version, "reason": "réviewed" });
        let put = store.client().put(store.url(&format!("{path}/labels/production"))).json(&body);
        assert!(put.send().await.unwrap().status().is_success());
    }
    store.get("/api/v1/prompts/search/writing/chat?x=1").await.unwrap();
    used(store, &chat, &fork).await;
    refined(store, &path).await;
    let keyed = store
        .client()
        .post(store.url("/api/v1/prompts"))
        .header("idempotency-key", "k")
        .json(&json!({ "category": "kept", "name": "keyed", "content": "x" }));
    assert_eq!(keyed.send().await.unwrap().status(), 201);
    let delete = store.client().delete(store.url(&path));
    assert_eq!(delete.send().await.unwrap().status(), 204);
    let items: Vec<_> =
        (0..250).map(|n| json!({ "category": "bulk", "name": format!("n{}", n % 240), "content": "x" })).collect();
    let operation = post("/api/v1/bulk/prompts", json!(items)).await;
    let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
    until("it is over", async || store.get(&path).await?.1["finished_at"].as_str().map(drop)).await;
    let key =
        post("/api/v1/keys", json!({ "name": "é", "scopes": ["bulk"], "expires_at": "2999-01-01T00:00:00Z" })).await;
    post(&format!("/api/v1/keys/{}/rotate", key["id"].as_str().unwrap()), json!({})).await;
    tell(store, &receiver).await;
    drop(api);
}

/// Has two prompts used and tested against each other, and all of it looked at.
async fn used(store: &Processes, prompt: &Value, other: &Value) {
    let plan = json!({ "name": "réal", "prompt_a_id": prompt["id"], "prompt_b_id": other["id"], "test_metric": "success_rate" });
    let (_, test) = store.post("/api/v1/ab-tests", &plan).await.unwrap();
    let path = format!("/api/v1/ab-tests/{}", test["id"].as_str().unwrap());
    store.post(&format!("{path}/start"), &json!({})).await.unwrap();
    let (status, arm) = store.get(&format!("{path}/select?user_id=ü")).await.unwrap();
    assert_eq!(status, 200, "{arm}");
    let usage = json!({ "prompt_id": arm["selected_prompt"]["id"], "version": 1, "event_id": "é1", "success": true, "user_id": "ü",
        "response_time_ms": 12.5, "cost_usd": 0.000_000_001, "model": "m", "ab_test_id": test["id"],
        "variant": arm["variant"], "score": 0.1 });
    let (status, answer) = store.post("/api/v1/analytics/usage", &usage).await.unwrap();
    assert!(status < 300, "{answer}");
    // As if the five minutes were over in which nobody looks at it.
    let app = open_for_bench(&store.location()).await;
    let mut tx = app.begin(&caller()).await.unwrap();
    tx.execute("UPDATE ab_tests SET evaluated_at = 0", &[]).await.unwrap();
    tx.commit().await.unwrap();
    app.db.close().await;
    for table in ["ab_evaluations", "drift_evaluations", "drift_days", "usage_pulses", "variable_uses", "prompt_reads"]
    {
        let sql = format!("SELECT count(*) FROM {table}");
        until(table, async || (count(store, &sql).await > 0).then_some(())).await;
    }
}

/// Has a prompt refined.
async fn refined(store: &Processes, path: &str) {
    let (_, begun) =
        store.post(&format!("{path}/refine"), &json!({ "refinement_instructions": "better" })).await.unwrap();
    let session = format!("/api/v1/refinement/sessions/{}", begun["session_id"].as_str().unwrap());
    until("it is refined", async || (store.get(&session).await?.1["status"] == "completed").then_some(())).await;
}

/// Has somebody told of what was deleted.
async fn tell(store: &Processes, receiver: &Receiver) {
    let hook = json!({ "name": "h", "url": receiver.url(), "events": ["webhook.disabled", "prompt.deleted"], "payload": "full" });
    let hook = store.post("/api/v1/webhooks", &hook).await.unwrap().1;
    let path = format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap());
    store.post(&format!("{path}/rotate-secret"), &json!({})).await.unwrap();
    until("what was before is sent too", async || {
        let all = json!({ "since": "2020-01-01T00:00:00Z" });
        (store.post(&format!("{path}/replay"), &all).await?.1["replayed_count"] == 1).then_some(())
    })
    .await;
    until("that was written down", async || {
        let (_, log) = store.get(&format!("{path}/deliveries?state=delivered")).await?;
        (log["total"] == 1).then_some(())
    })
    .await;
}

/// Every row of every table of a file, in the words of the database itself. What is searched is made anew from them.
async fn dump(file: &Path) -> Vec<String> {
    let (settings, _) = settings(&["--db", file.to_str().unwrap()]);
    let db = Db::open(&settings).await.unwrap();
    let mut conn = db.read().await.unwrap();
    let tables =
        "SELECT name, (SELECT group_concat('quote(' || c.name || ')', '||'',''||') FROM pragma_table_info(t.name) c)
                  FROM sqlite_master t WHERE type = 'table' AND name NOT LIKE '%sqlx%'
                                       AND name NOT LIKE 'search%' ORDER BY name";
    let tables: Vec<(String, String)> = conn.fetch_all(tables, &[]).await.unwrap();
    let mut rows = Vec::new();
    for (table, values) in tables {
        let all = format!("SELECT '{table}: ' || {values} FROM {table} ORDER BY 1");
        let found: Vec<(String,)> = conn.fetch_all(AssertSqlSafe(all), &[]).await.unwrap();
        assert!(
            !found.is_empty() || ["workers", "prompt_uses", "usage_batches"].contains(&table.as_str()),
            "nothing to copy in `{table}`"
        );
        rows.extend(found.into_iter().map(|(row,)| row));
    }
    rows
}

fn copy(store: &Processes, from: &str, to: &str) -> std::process::Command {
    store.command("prompt-store", &["copy", "--from", from, "--to", to])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_to_a_server_and_comes_back_as_it_was() {
    let server = PostgresServer::shared();
    let (store, name) = origin().await;
    server.create("copied");
    let there = server.url("copied");

    let (code, _, said) = Processes::finish(&mut copy(&store, &name, &there));
    assert_eq!(code, 0, "{said}");
    for words in ["250 bulk_items", "each read back and equal", "PROMPT_STORE_SECRET_KEY"] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    assert!(!said.contains("secret@"), "{said}");
    let said_of_copy = said;
    refuses(&mut copy(&store, &name, &there), 73, &["is not empty"]);
    let back = store.folder().join("back.db");
    let (code, _, said) = Processes::finish(&mut copy(&store, &there, back.to_str().unwrap()));
    assert_eq!(code, 0, "{said}");
    assert_eq!(dump(Path::new(&name)).await, dump(&back).await);

    let mut checking = store.command("prompt-store", &["check"]);
    let (code, printed, said) = Processes::finish(checking.env("PROMPT_STORE_DB", &there));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("prompts were not in the search index yet; now they are"), "{said}");
    assert!(said.lines().filter(|line| line.contains("search index")).count() == 1, "not a line for each: {said}");
    assert!(printed.contains(" 0 faults found"), "{printed}");

    // It is a store, and goes on.
    let moved = Processes::embedded().with("PROMPT_STORE_DB", there);
    refuses(moved.command("prompt-store", &[]).env("PROMPT_STORE_SECRET_KEY", SECRET), 78, &["fingerprint"]);
    // Where stores are files, the secret lies beside them; the others were given it as a variable.
    let moved = match engine() {
        Engine::Postgres => moved,
        Engine::Sqlite => {
            assert!(said_of_copy.contains("origin.key"), "{said_of_copy}");
            moved.with(
                "PROMPT_STORE_SECRET_KEY",
                std::fs::read_to_string(Path::new(&name).with_extension("key")).unwrap(),
            )
        }
    };
    let _api = moved.start_api().await;
    let (_, prompt) = moved.get("/api/v1/prompts/search/writing/chat?x=1").await.unwrap();
    assert_eq!(prompt["filled_messages"][0]["content"], "1", "{prompt}");
    let (status, _) =
        moved.post("/api/v1/prompts", &json!({ "category": "c", "name": "new", "content": "x" })).await.unwrap();
    assert_eq!(status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_arrives_otherwise_stops_the_copy_and_leaves_nothing() {
    let server = PostgresServer::shared();
    let (store, name) = origin().await;
    server.create("meddled");
    let there = server.url("meddled");
    refuses(&mut copy(&store, store.folder().join("nowhere.db").to_str().unwrap(), &there), 73, &["nowhere.db"]);
    let migrated = Processes::finish(store.command("prompt-store", &["migrate"]).env("PROMPT_STORE_DB", &there));
    assert_eq!(migrated.0, 0, "{}", migrated.2);
    server.sql(
        "meddled",
        &[
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN IF NEW.name = 'n7' THEN NEW.description = 'meddled'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER meddle BEFORE INSERT ON prompts FOR EACH ROW EXECUTE FUNCTION meddle()",
        ],
    );

    refuses(&mut copy(&store, &name, &there), 73, &["nothing was copied", "`prompts`", "meddled"]);

    assert_eq!(server.sql("meddled", &["SELECT count(*) FROM prompts", "SELECT count(*) FROM versions"]), "0\n0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_no_server_can_keep_is_mended_on_the_way_and_told_of() {
    let server = PostgresServer::shared();
    let store = Processes::embedded();
    let file = store.folder().join("old.db").to_str().unwrap().to_owned();
    let store = store.with("PROMPT_STORE_DB", &file);
    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    let app = open_for_bench(&file).await;
    let mut tx = app.begin(&caller()).await.unwrap();
    for statement in [
        "UPDATE prompts SET created_by = 'eve' || char(0) WHERE id IN (SELECT id FROM prompts ORDER BY id LIMIT 1)",
        "UPDATE prompts SET description = char(0) || '.' WHERE created_by LIKE 'eve%'",
    ] {
        assert!(tx.execute(statement, &[]).await.unwrap() > 0, "{statement}");
    }
    tx.commit().await.unwrap();
    app.db.close().await;
    let (code, said, _) = store.run("prompt-store", &["doctor"]);
    assert_eq!(code, 1, "{said}");
    let found = said.lines().find(|line| line.starts_with("WRONG  texts: ")).unwrap();
    for words in ["U+0000", "1 in prompts.created_by", "1 in prompts.description", "prompt-store copy"] {
        assert!(found.contains(words), "no `{words}` in {found}");
    }

    server.create("mended");
    let (code, _, said) = Processes::finish(&mut copy(&store, &file, &server.url("mended")));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("column `created_by`: U+0000 became U+FFFD"), "{said}");
    let mended = "SELECT count(*) FROM prompts WHERE created_by = 'eve' || chr(65533)";
    assert_eq!(server.sql("mended", &[mended]), "1");
}
