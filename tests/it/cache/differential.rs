//! P-C5: with and without a cache, the same requests have the same answers.
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::TestApp;

/// Without what is different by nature: ids, and the name of the request.
fn comparable(body: &Value) -> String {
    let (mut shown, mut rest) = (String::new(), &*body.to_string());
    while let Some(at) =
        ["prm_", "\"request_id\":\""].iter().filter_map(|start| rest.find(start).map(|at| at + start.len())).min()
    {
        shown.push_str(&rest[..at]);
        rest = rest[at..]
            .trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    }
    shown + rest
}

/// The same step for both stores: a change or a read, of one of a few prompts.
async fn step(test: &TestApp, ids: &mut [Option<String>; 4], random: &mut StdRng) -> (u16, Value) {
    let place = random.random_range(0..ids.len());
    let number = random.random_range(0..1000);
    let prompts = "/api/v1/prompts";
    let read = format!("{prompts}/search/a/n{place}");
    let reply = match (random.random_range(0..12), ids[place].clone()) {
        (0 | 1, None) => {
            let reply = test.prompt("a", &format!("n{place}"), &format!("first {number}")).await;
            ids[place] = reply["id"].as_str().map(str::to_owned);
            return (201, Value::Null);
        }
        (0, Some(id)) => {
            let content = json!({ "content": format!("{number} {{{{x}}}}"), "is_template": true });
            test.put(&format!("{prompts}/{id}"), content).await
        }
        (1, Some(id)) => {
            let version = number % 3 + 1;
            let label = ["production", "beta"][place % 2];
            test.put(&format!("{prompts}/{id}/labels/{label}"), json!({ "version": version })).await
        }
        (2, Some(id)) => {
            ids[place] = None;
            test.delete(&format!("{prompts}/{id}")).await
        }
        (3, Some(id)) => test.put(&format!("{prompts}/{id}"), json!({ "tags": [number.to_string()] })).await,
        (4, _) => test.get(&format!("{read}?x={number}")).await,
        (5, _) => test.get(&format!("{read}?version={}", number % 3 + 1)).await,
        (6, _) => test.get(&format!("{read}?label=beta")).await,
        (7, _) => {
            let items = json!({ "items": [{ "category": "a", "name": format!("n{place}") }, { "category": "a", "name": "none" }] });
            test.post(&format!("{prompts}/batch-get"), items).await
        }
        _ => test.get(&read).await,
    };
    (reply.status.as_u16(), reply.body)
}

#[tokio::test]
async fn the_same_requests_have_the_same_answers_without_it() {
    for seed in 0..4 {
        let (with, without) = (TestApp::api().await, TestApp::with(&["--cache-bytes", "0"]).await);
        let (mut random, mut same) = (StdRng::seed_from_u64(seed), StdRng::seed_from_u64(seed));
        let (mut ids, mut others) = <([Option<String>; 4], [Option<String>; 4])>::default();
        for number in 0..250 {
            let (status, body) = step(&with, &mut ids, &mut random).await;
            let (status_without, body_without) = step(&without, &mut others, &mut same).await;
            assert_eq!(status, status_without, "step {number} of {seed}: {body} and {body_without}");
            assert_eq!(comparable(&body), comparable(&body_without), "step {number} of {seed}");
        }
    }
}
