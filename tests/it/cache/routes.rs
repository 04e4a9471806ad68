//! `/cache/stats`, `/cache/invalidate`, `/cache/warmup`.
use serde_json::json;
use support::{TestApp, until};

use super::{AB, HIT, READ, SHARED, content, stat, status, text, told, write};

#[tokio::test]
async fn what_is_kept_is_counted() {
    let test = TestApp::api().await;
    let _ = test.prompt("a", "b", "one").await;
    for _ in 0..4 {
        let _ = content(&test).await;
    }
    let stats = test.get("/api/v1/cache/stats").await.expect(200);
    let memory = &stats["memory"];
    assert_eq!((&memory["hits"], &memory["misses"], &memory["hit_ratio"]), (&json!(3), &json!(1), &json!(0.75)));
    assert_eq!((&memory["entries"], &memory["evictions"]), (&json!(1), &json!(0)));
    assert!(memory["bytes"].as_u64().unwrap() > 100, "{stats}");
    assert_eq!(memory["bytes_max"], 64 * 1024 * 1024);
    assert_eq!(
        (&stats["redis"], &stats["redis_available"], &stats["is_told"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn what_matches_is_forgotten() {
    let test = TestApp::api().await;
    for (category, name) in [("writing", "a"), ("writing/long", "b"), ("other", "a")] {
        let _ = test.prompt(category, name, "x").await;
    }
    let paths = ["writing/a", "writing%2Flong/b", "other/a"].map(|path| format!("/api/v1/prompts/search/{path}"));
    let fill = async || {
        for path in &paths {
            let _ = test.get(path).await.expect(200);
        }
    };
    for (pattern, forgotten) in
        [("writing/*", vec![0, 1]), ("*/a", vec![0, 2]), ("other/b", vec![]), ("*", vec![0, 1, 2])]
    {
        fill().await;
        let answer = test.post("/api/v1/cache/invalidate", json!({ "pattern": pattern })).await.expect(200);
        assert_eq!(answer["invalidated_count"], forgotten.len(), "{pattern}");
        for (index, path) in paths.iter().enumerate() {
            let expected = if forgotten.contains(&index) { READ } else { HIT };
            assert_eq!(status(&test.get(path).await), expected, "{pattern} {path}");
        }
    }
    fill().await;
    // No body is everything.
    let everything = test.request(axum::http::Method::POST, "/api/v1/cache/invalidate", &[], "").await.expect(200);
    assert_eq!(everything["invalidated_count"], 3);
}

#[tokio::test]
async fn row_73_a_pattern_that_is_none_is_refused() {
    let test = TestApp::api().await;
    for (pattern, code) in
        [("", "out-of-range"), ("a\u{0}", "out-of-range"), ("[a", "bad-pattern"), ("{a", "bad-pattern")]
    {
        let refused = test.post("/api/v1/cache/invalidate", json!({ "pattern": pattern })).await.violations();
        assert_eq!(refused, [("/pattern".to_owned(), code.to_owned())], "{pattern:?}");
    }
    let long = json!({ "pattern": "*".repeat(513) });
    assert_eq!(test.post("/api/v1/cache/invalidate", long).await.code(422), "validation-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_processes_forget_it_too() {
    let one = TestApp::distributed().await;
    let other = one.another().await;
    told(&other).await;
    let _ = one.prompt("a", "b", "one").await;
    let _ = content(&other).await;
    let _ = one.post("/api/v1/cache/invalidate", json!({ "pattern": "a/*" })).await.expect(200);
    until("the other process has forgotten it", async || (status(&other.get(AB).await) != HIT).then_some(())).await;
}

#[tokio::test]
async fn the_most_used_prompts_are_read_by_a_job() {
    let test = TestApp::with(&["--cache-max-age-ms", "3600000"]).await;
    for name in ["often", "seldom", "never"] {
        let _ = test.prompt("a", name, "x").await;
    }
    let path = |name: &str| format!("/api/v1/prompts/search/a/{name}");
    for name in ["often", "often", "seldom"] {
        let _ = test.get(&path(name)).await.expect(200);
    }
    shared::analytics::write_reads(&test.app, &support::caller()).await.unwrap();
    let after = async |order: serde_json::Value| {
        let _ = test.post("/api/v1/cache/invalidate", json!({})).await.expect(200);
        let ordered = test.post("/api/v1/cache/warmup", order).await;
        assert_eq!(ordered.header("location"), "/api/v1/jobs?queue=cache-warmups");
        let ordered = ordered.expect(202);
        test.work().await;
        let jobs = test.get(ordered["status_url"].as_str().unwrap()).await.expect(200);
        assert_eq!(jobs["items"][0]["state"], "done", "{jobs}");
        let mut kept = Vec::new();
        for name in ["often", "seldom", "never"] {
            if status(&test.get(&path(name)).await) == HIT {
                kept.push(name);
            }
        }
        kept
    };
    assert_eq!(after(json!({ "top_n": 1 })).await, ["often"]);
    assert_eq!(after(json!({})).await, ["often", "seldom"]);
    assert_eq!(after(json!({ "category": "b" })).await, Vec::<&str>::new());
    let never = test.get(&path("never")).await.expect(200);
    assert_eq!(after(json!({ "prompt_ids": [never["id"]] })).await, ["never"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_warms_redis_up_for_every_process() {
    let one = TestApp::distributed().await;
    let other = one.another().await;
    told(&other).await;
    let prompt = one.prompt("a", "b", "one").await;
    write(&one, &prompt, "two").await;
    let _ = one.post("/api/v1/cache/warmup", json!({ "prompt_ids": [text(&prompt["id"])] })).await.expect(202);
    until("a worker has read it", async || {
        let stats = one.get("/api/v1/cache/stats").await.expect(200);
        (stats["memory"]["entries"] == 1).then_some(())
    })
    .await;
    assert_eq!(status(&other.get(AB).await), SHARED);
    assert_eq!(stat(&other, "/redis/hits").await, 1);
}

#[tokio::test]
async fn row_74_a_warm_up_of_nothing_too_much_or_both_is_refused() {
    let test = TestApp::api().await;
    let id = text(&test.prompt("a", "b", "x").await["id"]);
    for (order, pointer, code) in [
        (json!({ "top_n": 0 }), "/top_n", "out-of-range"),
        (json!({ "top_n": 10_001 }), "/top_n", "out-of-range"),
        (json!({ "prompt_ids": [] }), "/prompt_ids", "out-of-range"),
        (json!({ "prompt_ids": vec![id.clone(); 10_001] }), "", "too-many"),
        (json!({ "prompt_ids": [id], "top_n": 3 }), "/prompt_ids", "not-together"),
    ] {
        let refused = test.post("/api/v1/cache/warmup", order).await.violations();
        assert_eq!(refused, [(pointer.to_owned(), code.to_owned())]);
    }
    assert_eq!(test.count("SELECT count(*) FROM jobs").await, 0);
}
