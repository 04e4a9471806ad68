//! P-C1, P-C2: who writes reads it at once; others a moment later; and nobody reads half of it.
use std::time::{Duration, Instant};

use serde_json::json;
use support::{TestApp, figure, in_full, percentile, until};

use super::{AB, HIT, READ, SHARED, content, status, text, told, write};

#[tokio::test]
async fn a_read_is_kept_until_the_prompt_changes() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    assert_eq!(status(&test.get(AB).await), READ);
    let kept = test.get(AB).await;
    assert_eq!(status(&kept), HIT);
    assert_eq!(kept.header("age"), "0");
    assert_eq!(kept.header("cache-control"), "no-cache");

    write(&test, &prompt, "two").await;
    let fresh = test.get(AB).await;
    assert_eq!(status(&fresh), READ);
    assert_eq!(fresh.body["content"], "two");
    assert_ne!(fresh.header("etag"), kept.header("etag"));
}

#[tokio::test]
async fn every_kind_of_change_is_read_at_once() {
    let test = TestApp::api().await;
    // What is not there is kept as well.
    test.get(AB).await.problem(404, "not-found");
    test.get(AB).await.problem(404, "not-found");
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", text(&prompt["id"]));
    assert_eq!(content(&test).await, "one");

    let _ = test.put(&path, json!({ "tags": ["new"], "content": "two" })).await.expect(200);
    assert_eq!(test.get(AB).await.expect(200)["tags"], json!(["new"]));

    let _ = test.put(&format!("{path}/labels/production"), json!({ "version": 1 })).await.expect(200);
    assert_eq!(content(&test).await, "one");
    assert_eq!(test.get(&format!("{AB}?label=latest")).await.expect(200)["content"], "two");
    test.delete(&format!("{path}/labels/production")).await;
    assert_eq!(content(&test).await, "two");

    let prompt = test.prompt("letters", "greeting", "Good morning to you all").await;
    let (path, read_at) =
        (format!("/api/v1/prompts/{}", text(&prompt["id"])), "/api/v1/prompts/search/letters/greeting");
    let _ = test.get(read_at).await.expect(200);
    for (status, read) in [("published", 200), ("deprecated", 200), ("archived", 410)] {
        let _ = test.put(&format!("{path}/lifecycle"), json!({ "status": status })).await.expect(200);
        let reply = test.get(read_at).await;
        assert_eq!(reply.headers.contains_key("deprecation"), status == "deprecated");
        let _ = reply.expect(read);
    }
}

#[tokio::test]
async fn a_name_that_is_given_up_is_free_at_once() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let path = format!("/api/v1/prompts/{}", text(&prompt["id"]));
    assert_eq!(content(&test).await, "one");
    let _ = test.put(&path, json!({ "name": "c" })).await.expect(200);
    test.get(AB).await.problem(404, "not-found");
    assert_eq!(test.get("/api/v1/prompts/search/a/c").await.expect(200)["content"], "one");
    test.delete(&path).await;
    test.get("/api/v1/prompts/search/a/c").await.problem(404, "not-found");
    let _ = test.post(&format!("{path}/restore"), json!({})).await.expect(200);
    assert_eq!(test.get("/api/v1/prompts/search/a/c").await.expect(200)["content"], "one");
}

#[tokio::test]
async fn a_test_behind_a_label_begins_and_ends_at_once() {
    let test = TestApp::api().await;
    let (prompt, other) = (test.prompt("a", "b", "control").await, test.prompt("a", "other", "arm").await);
    let label = format!("/api/v1/prompts/{}/labels/production", text(&prompt["id"]));
    let _ = test.put(&label, json!({ "version": 1 })).await.expect(200);
    let read = async || test.get(&format!("{AB}?user_id=ada")).await.expect(200);
    assert!(read().await["served"].get("experiment").is_none());
    let body = json!({
        "name": "t", "behind": { "prompt_id": prompt["id"], "label": "production" }, "status": "running",
        "prompt_a_id": prompt["id"], "prompt_b_id": other["id"], "metrics": [{ "name": "success_rate" }],
    });
    let made = test.post("/api/v1/ab-tests", body).await.expect(201);
    let shown = read().await;
    assert_eq!(shown["served"]["experiment"]["test_id"], made["id"], "{shown}");
    // Who does not say who they are gets what the label points at, from what is kept.
    assert_eq!(content(&test).await, "control");

    let path = format!("/api/v1/ab-tests/{}", text(&made["id"]));
    let _ = test.post(&format!("{path}/complete"), json!({})).await.expect(200);
    assert!(read().await["served"].get("experiment").is_none());
    let select = test.get(&format!("{path}/select?user_id=ada")).await;
    select.problem(409, "test-ended");
}

/// Writers and readers of two processes: the writer's own reads are never old, those of the other at most so old.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_writes_the_others_read_soon() {
    let one = TestApp::distributed().await;
    let other = one.another().await;
    told(&one).await;
    told(&other).await;
    let prompt = one.prompt("a", "b", "0").await;
    let pairs = if in_full() { 10_000 } else { 300 };
    let mut late = Vec::with_capacity(pairs);
    for number in 1..=pairs {
        let wanted = number.to_string();
        let _ = content(&other).await;
        write(&one, &prompt, &wanted).await;
        let written = Instant::now();
        assert_eq!(content(&one).await, wanted, "who writes reads it at once");
        until("the other process reads it", async || (content(&other).await == wanted).then_some(())).await;
        late.push(written.elapsed());
    }
    late.sort_unstable();
    let [middle, most] = [50, 99].map(|of| percentile(&late, of));
    figure(
        "P-C1",
        format_args!("{pairs} writes with Redis: 0 old where written, elsewhere after {middle:?}, p99 {most:?}"),
    );
    let old = late.iter().filter(|late| **late > Duration::from_secs(5)).count();
    assert_eq!(old, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_another_process_reads_it_within_the_age_that_is_allowed() {
    let one = TestApp::with(&["--cache-max-age-ms", "200"]).await;
    let other = one.another().await;
    let prompt = one.prompt("a", "b", "one").await;
    assert_eq!(content(&other).await, "one");
    let kept = status(&other.get(AB).await) == HIT;
    write(&one, &prompt, "two").await;
    until("the other process reads it", async || (content(&other).await == "two").then_some(())).await;
    assert!(kept || status(&other.get(AB).await) == HIT, "it was kept at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_has_read_another_need_not_ask_the_database_for() {
    let one = TestApp::distributed().await;
    let other = one.another().await;
    told(&other).await;
    let _ = one.prompt("a", "b", "one").await;
    assert_eq!(status(&one.get(AB).await), READ);
    let shared = other.get(AB).await;
    assert_eq!(status(&shared), SHARED);
    assert_eq!(shared.bytes, one.get(AB).await.bytes);
}

/// A reader that has read the old version and not kept it yet, when a writer changes it: nobody is served what it keeps.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_became_old_while_it_was_read_is_not_kept() {
    use shared::cache::{Keep, Keepable, Key, Mark};

    #[derive(Debug, PartialEq)]
    struct Text(&'static str);
    impl Keepable for Text {
        fn bytes(&self) -> usize {
            self.0.len()
        }
    }

    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let (key, mark) = (Key::new(&["a", "b"], &["mine"]), Mark::of(&["name", "a", "b"]));
    let old = test.app.cache.get(&key, mark, async || {
        write(&test, &prompt, "two").await;
        Ok((Text("old"), Keep::Yes))
    });
    assert_eq!(*old.await.unwrap().value, Text("old"), "whoever read it meanwhile gets it");
    let fresh = test.app.cache.get(&key, mark, async || Ok((Text("new"), Keep::Yes))).await.unwrap();
    assert_eq!(*fresh.value, Text("new"), "and nobody after them");
}

/// Content, tags, version and revision of every answer belong together, while all of them change all the time.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_half_of_two() {
    let test = std::sync::Arc::new(TestApp::api().await);
    let body = json!({ "category": "a", "name": "b", "content": "1", "tags": ["1"] });
    let prompt = test.post("/api/v1/prompts", body).await.expect(201);
    let path = format!("/api/v1/prompts/{}", text(&prompt["id"]));
    let writes = if in_full() { 2000 } else { 150 };
    let writer = tokio::spawn({
        let test = test.clone();
        async move {
            for number in 2..=writes {
                let number = number.to_string();
                let _ = test.put(&path, json!({ "content": number, "tags": [number] })).await.expect(200);
            }
        }
    });
    let (mut reads, mut newest) = (0, 0);
    while !writer.is_finished() {
        let reply = test.get(AB).await;
        let tag = reply.header("etag").to_owned();
        let served = reply.expect(200);
        let number = text(&served["content"]);
        assert_eq!((&served["tags"][0], text(&served["filled_content"])), (&json!(number), number.clone()));
        assert_eq!(served["version"].to_string(), number);
        assert!(tag.ends_with(&format!("-{}\"", served["revision"])), "{tag} {served}");
        let number: u64 = number.parse().unwrap();
        assert!(number >= newest, "{number} after {newest}");
        (reads, newest) = (reads + 1, number);
    }
    writer.await.unwrap();
    figure("P-C2", format_args!("{reads} reads during {writes} writes: 0 mixed, 0 backwards"));
}
