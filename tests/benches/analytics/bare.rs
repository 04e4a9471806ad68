//! What a program does that knows nothing but the tables.
use std::time::Instant;

use shared::{
    App,
    clock::{Clock, Timestamp},
    db::{Param, Query, portions},
    id::{PromptId, UsageBatchId},
};

use crate::{caller, rate};

/// A row, made before.
struct Row {
    batch: UsageBatchId,
    position: i64,
    event_id: String,
    prompt_id: PromptId,
    version: i64,
    at: Timestamp,
    success: i64,
    us: i64,
    input: i64,
    output: i64,
    nanos: i64,
    score: f64,
    model: String,
    service: String,
    user: String,
}

fn row(prompt_id: PromptId, batch: UsageBatchId, n: usize) -> Row {
    let position = i64::try_from(n).unwrap();
    Row {
        batch,
        position,
        event_id: shared::id::request_id(),
        prompt_id,
        version: 1,
        at: Clock::System.now(),
        success: 1,
        us: 100_000 + position,
        input: 200,
        output: 50,
        nanos: 2_000_000,
        score: 0.5,
        model: "some-model".to_owned(),
        service: "some-service".to_owned(),
        user: format!("user-{}", n % 1000),
    }
}

const INSERT: &str = "INSERT INTO usage_events (batch_id, position, event_id, prompt_id, version, occurred_at, success,
                          response_time_us, input_tokens, output_tokens, cost_nanos, score, model, service_name, user_id)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// One prepared insert a commit: how many a second.
pub(crate) async fn single(app: &App, prompt_id: PromptId, events: usize) -> f64 {
    let rows: Vec<_> = (0..events).map(|n| row(prompt_id, UsageBatchId::generate(Clock::System.now()), n)).collect();
    let app = app.clone();
    let took = tokio::spawn(async move {
        let began = Instant::now();
        for it in rows {
            let mut tx = app.begin(&caller()).await.unwrap();
            let values: [&dyn Param; 15] = [
                &it.batch,
                &it.position,
                &it.event_id,
                &it.prompt_id,
                &it.version,
                &it.at,
                &it.success,
                &it.us,
                &it.input,
                &it.output,
                &it.nanos,
                &it.score,
                &it.model,
                &it.service,
                &it.user,
            ];
            tx.execute(INSERT, &values).await.unwrap();
            tx.commit().await.unwrap();
        }
        began.elapsed()
    });
    rate(events, took.await.unwrap())
}

/// Batched inserts, a list a commit: how many events a second.
pub(crate) async fn lists(app: &App, prompt_id: PromptId, lists: usize, list: usize) -> f64 {
    let batch = || UsageBatchId::generate(Clock::System.now());
    let made: Vec<Vec<_>> = (0..lists)
        .map(|_| {
            let batch = batch();
            (0..list).map(|n| row(prompt_id, batch, n)).collect()
        })
        .collect();
    let app = app.clone();
    let took = tokio::spawn(async move {
        let began = Instant::now();
        for rows in &made {
            let mut tx = app.begin(&caller()).await.unwrap();
            for rows in portions(rows) {
                let start =
                    "INSERT INTO usage_events (batch_id, position, event_id, prompt_id, version, occurred_at, success,
                                 response_time_us, input_tokens, output_tokens, cost_nanos, score, model, service_name,
                                 user_id) VALUES";
                let query = Query::new(start).rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows, |it| {
                    vec![
                        &it.batch,
                        &it.position,
                        &it.event_id,
                        &it.prompt_id,
                        &it.version,
                        &it.at,
                        &it.success,
                        &it.us,
                        &it.input,
                        &it.output,
                        &it.nanos,
                        &it.score,
                        &it.model,
                        &it.service,
                        &it.user,
                    ]
                });
                tx.execute(&query, query.params()).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        began.elapsed()
    });
    rate(lists * list, took.await.unwrap())
}

const PROMPTS: i64 = 1000;
const DAYS: i64 = 30;
const DAY: i64 = 86_400_000;

/// Makes the roll-ups of today those of a month in which a thousand prompts were used, with so many events or a few less;
/// answers how many.
pub(crate) async fn fill_month(app: &App, events: i64) -> i64 {
    let mut tx = app.begin(&caller()).await.unwrap();
    let now = Clock::System.now();
    for n in 1..PROMPTS {
        let new =
            serde_json::json!({ "category": format!("folder-{}", n % 40), "name": n.to_string(), "content": "x" });
        let draft: shared::prompts::NewPrompt = serde_json::from_value(new).unwrap();
        let draft = draft.check().unwrap();
        shared::prompts::insert(&mut tx, &draft, shared::versions::ChangeType::Create, None).await.unwrap();
    }
    // The day's rows of the one prompt, for every other.
    let copy = "INSERT INTO usage_rollups
                SELECT r.grain, p.id, r.version, r.model, r.service_name, r.bucket, r.events, r.successes, r.failures,
                       r.parse_failures, r.latency_n, r.latency_us, r.tokens_n, r.input_tokens, r.output_tokens, r.cost_n,
                       r.cost_nanos, r.score_n, r.score_mean, r.score_m2, r.latency_sketch, r.tokens_sketch, r.cost_sketch,
                       r.day_changed
                FROM usage_rollups r CROSS JOIN prompts p
                WHERE r.grain = 'day' AND r.prompt_id <> '' AND p.id <> r.prompt_id";
    tx.execute(copy, &[]).await.unwrap();
    for day in 1..DAYS {
        let back = day * DAY;
        let earlier = "INSERT INTO usage_rollups
                       SELECT grain, prompt_id, version, model, service_name, bucket - $1, events, successes, failures,
                              parse_failures, latency_n, latency_us, tokens_n, input_tokens, output_tokens, cost_n, cost_nanos,
                              score_n, score_mean, score_m2, latency_sketch, tokens_sketch, cost_sketch, day_changed
                       FROM usage_rollups WHERE bucket >= $2";
        let today = Timestamp::from_millis(now.millis() - now.millis().rem_euclid(DAY));
        tx.execute(earlier, &[&back, &today]).await.unwrap();
    }
    let each = events / DAYS;
    let whole = "UPDATE usage_rollups SET events = $1 WHERE prompt_id = '' AND grain = 'day'";
    tx.execute(whole, &[&each]).await.unwrap();
    let share = each / PROMPTS;
    let of_prompts = "UPDATE usage_rollups SET events = $1 WHERE prompt_id <> '' AND grain = 'day'";
    tx.execute(of_prompts, &[&share]).await.unwrap();
    tx.commit().await.unwrap();
    each * DAYS
}
