//! `prompt-store doctor` finds what is wrong, and says what to do.
use shared::db::AssertSqlSafe;
use support::{Processes, caller, open_for_bench};

fn doctor(store: &Processes) -> (i32, String) {
    let (code, said, _) = store.run("prompt-store", &["doctor"]);
    (code, said)
}

/// The line about something.
fn line<'a>(said: &'a str, what: &str) -> &'a str {
    said.lines().find(|line| line[7..].starts_with(&format!("{what}: "))).unwrap_or_else(|| panic!("no {what}: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_well_is_said_to_be_in_every_respect() {
    let store = Processes::embedded();
    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    let (code, said) = doctor(&store);
    assert_eq!(code, 0, "{said}");
    let looked_at = [
        "settings",
        "redis",
        "tables",
        "secret",
        "database",
        "disk",
        "queue",
        "data",
        "texts",
        "names",
        "clock",
        "search index",
        "audit log",
        "administrators",
        "keys",
    ];
    for what in looked_at {
        assert!(line(&said, what).starts_with("ok     "), "{said}");
    }
    assert_eq!(said.lines().count(), looked_at.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_is_found() {
    let store = Processes::embedded();
    let (code, said) = doctor(&store);
    assert_eq!((code, line(&said, "tables").starts_with("WRONG")), (1, true), "there is none yet: {said}");

    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    let app = open_for_bench(&store.location()).await;
    let mut tx = app.begin(&caller()).await.unwrap();
    let later = (tx.now().millis() + 3_600_000).to_string();
    for statement in [
        "UPDATE prompts SET name = '..' WHERE id IN (SELECT id FROM prompts ORDER BY id LIMIT 1)".to_owned(),
        "UPDATE search_documents SET category = 'elsewhere' WHERE id IN (SELECT id FROM search_documents ORDER BY id LIMIT 1)".to_owned(),
        format!(
            "INSERT INTO audit_log (id, at, actor, request_id, action, object_id)
                 VALUES ('aud_7ZZZZZZZZZZZZZZZZZZZZZZZZZ', {later}, 'a', 'b', 'c', 'd')"
        ),
    ] {
        tx.execute(AssertSqlSafe(statement), &[]).await.unwrap();
    }
    tx.commit().await.unwrap();
    app.db.close().await;
    let (code, _, said) = store.run(
        "prompt-store",
        &[
            "keys",
            "create",
            "--name",
            "soon",
            "--scope",
            "bulk",
            "--expires-at",
            &(shared::clock::Clock::System.now() + std::time::Duration::from_hours(24)).to_string(),
        ],
    );
    assert_eq!(code, 0, "{said}");

    let store = store
        .with("REDIS_URL", "redis://127.0.0.1:1")
        .with("PROMPT_STORE_ENV", "production")
        .with("PROMPT_STORE_SECRET_KEY", "0123456789abcdef0123456789abcdef"); // of another store
    let (code, said) = doctor(&store);
    assert_eq!(code, 1, "{said}");
    for (what, way_out) in [
        ("redis", "REDIS_URL"),
        ("secret", "keys adopt-secret"),
        ("search index", "prompt-store check"),
        ("names", "PUT /api/v1/prompts/{id}"),
        ("clock", "NTP"),
        ("administrators", "prompt-store keys create"),
        ("keys", "soon"),
    ] {
        let line = line(&said, what);
        assert!(line.starts_with("WRONG  ") && line.contains(way_out), "{line}");
    }
}
