//! A month in the life of a store, made up, so that every route and chart has something to show.
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::{
    App, Caller, Error, Result,
    ab_testing::{self, Context, Outcome, Subject},
    analytics::{self, UsageEvent},
    bulk::{self, BulkCreate},
    clock::Timestamp,
    config::Environment,
    drift, jobs,
    jobs::Queue,
    lifecycle,
    prompts::{self, Precondition, Prompt},
    refinement, relationships, webhooks,
};

use super::say;

/// Prompts of the bulk operation.
const MORE: usize = 40;
const DAYS: u64 = 30;
/// Units of the A/B test.
const UNITS: usize = 600;

/// Adds all of it; or nothing, where it was added before.
pub(super) async fn run(app: &App, examples: &[Prompt]) -> Result<()> {
    let caller = &Caller::system("seed");
    let Some((control, challenger)) = two_answers(app, caller).await? else {
        say("the month was added before");
        return Ok(());
    };
    tell(app, caller).await?;
    relate(app, caller, examples, &control).await?;
    in_bulk(app, caller).await?;
    refine(app, caller, &examples[0]).await?;
    use_it(app, caller, examples, &control).await?;
    test(app, caller, &control, &challenger).await?;
    analytics::order_roll_up(app, caller).await?;
    work(app, caller).await?;
    drift::order_evaluation(app, caller).await?;
    work(app, caller).await?;
    say("every job is done; start `prompt-store`, and look around");
    Ok(())
}

/// What the contract takes as JSON.
fn read<T: DeserializeOwned>(body: Value) -> Result<T> {
    serde_json::from_value(body).map_err(|error| Error::internal(format!("the demonstration is wrong: {error}")))
}

/// Numbers that look random, and are the same every time: 0 to 999.
fn chance(n: usize, salt: usize) -> usize {
    let mixed = (n * 2_654_435_761).wrapping_add(salt * 40_503).wrapping_mul(0x9e37_79b9) >> 7;
    mixed % 1000
}

/// Works every job that waits, as a worker would.
async fn work(app: &App, caller: &Caller) -> Result<()> {
    loop {
        webhooks::publish(app, caller).await?;
        let mut waiting = Vec::new();
        for queue in Queue::ALL {
            waiting.extend(jobs::due(app, queue, 100).await?);
        }
        if waiting.is_empty() {
            return Ok(());
        }
        for id in waiting {
            worker::work(app, id).await?;
        }
    }
}

/// The prompts of the A/B test; nothing, if they are there.
async fn two_answers(app: &App, caller: &Caller) -> Result<Option<(Prompt, Prompt)>> {
    let make = async |name: &str, tone: &str| {
        let content = format!(
            "You answer a customer of {{{{product}}}}.\n\n<question>\n{{{{question}}}}\n</question>\n\n{tone} \
             Answer in at most 120 words. If you do not know, say so and name who does."
        );
        let new = json!({ "category": "support", "name": name, "content": content, "tags": ["support", "demo"],
                          "description": "Answers a question of a customer.", "config": { "model": "small-model" } });
        prompts::create(app, caller, read(new)?).await
    };
    let control = match make("answer-question", "Be brief and exact.").await {
        Err(error) if error.code() == "prompt-name-taken" => return Ok(None),
        made => made?,
    };
    let challenger = make("answer-question-warmly", "Begin with what the customer is worried about.").await?;
    for prompt in [&control, &challenger] {
        let published = json!({ "status": "published", "reason": "reviewed by support" });
        lifecycle::change(app, caller, prompt.id, &Precondition::None, read(published)?).await?;
    }
    Ok(Some((control, challenger)))
}

/// A webhook of this machine, where nobody listens: its log shows how failures look.
async fn tell(app: &App, caller: &Caller) -> Result<()> {
    let is_active = app.settings.env == Environment::Development;
    let url = if is_active { "http://127.0.0.1:9/hooks" } else { "https://hooks.example.com/prompts" };
    let new = json!({ "name": "Release channel", "url": url, "events": ["prompt.lifecycle_changed", "ab_test.*"],
                      "retry_count": 1, "timeout_seconds": 2, "is_active": is_active });
    webhooks::create(app, caller, read(new)?).await?;
    say("added a webhook");
    Ok(())
}

async fn relate(app: &App, caller: &Caller, examples: &[Prompt], answer: &Prompt) -> Result<()> {
    let new = json!({ "category": "support", "name": "answer-question-old", "tags": ["support"],
                      "content": "Answer the question of a customer: {{question}}" });
    let old = prompts::create(app, caller, read(new)?).await?;
    let pairs = [
        (answer, &old, "replaces"),
        (&examples[0], &examples[1], "complements"),
        (&examples[2], &examples[3], "similar"),
        (&examples[4], answer, "references"),
        (&examples[5], &examples[6], "alternative"),
    ];
    for (from, to, kind) in pairs {
        let new = json!({ "target_prompt_id": to.id, "relationship_type": kind, "strength": 0.8 });
        relationships::create(app, caller, from.id, read(new)?).await?;
    }
    for (prompt, status) in
        [(&examples[0], "published"), (&examples[1], "published"), (&old, "published"), (&old, "deprecated")]
    {
        let mut status = json!({ "status": status, "reason": "as planned" });
        if status["status"] == "deprecated" {
            status["successor_id"] = json!(answer.id);
        }
        match lifecycle::change(app, caller, prompt.id, &Precondition::None, read(status)?).await {
            // Somebody was here before, and knows better.
            Err(error) if !error.is_refusal() => return Err(error),
            _ => {}
        }
    }
    say("added 5 relationships, and lives");
    Ok(())
}

/// One operation whose items all go well, and one of which most are refused.
async fn in_bulk(app: &App, caller: &Caller) -> Result<()> {
    let prompt = |n: usize| {
        let (folders, verbs) = (
            ["writing/letters", "writing/notes", "data", "translation"],
            ["Summarise", "Rewrite", "Check", "Classify"],
        );
        let (folder, verb) = (folders[n % folders.len()], verbs[n / folders.len() % verbs.len()]);
        json!({ "category": format!("demo/{folder}"), "name": format!("{}-{n}", verb.to_lowercase()), "tags": ["demo", folder],
                "content": format!("{verb} the text between the tags, and say nothing else.\n\n<text>\n{{{{text}}}}\n</text>") })
    };
    let good: Vec<Value> = (0..MORE).map(prompt).collect();
    let bad: Vec<Value> = (MORE - 8..MORE).map(prompt).chain([json!({ "category": "demo", "name": "" })]).collect();
    for prompts in [good, bad] {
        bulk::create(app, caller, BulkCreate { prompts, ..BulkCreate::default() }).await?;
        work(app, caller).await?;
    }
    say(&format!("added {MORE} prompts by a bulk operation, and another whose items are refused"));
    Ok(())
}

/// By rules, which ask nobody.
async fn refine(app: &App, caller: &Caller, prompt: &Prompt) -> Result<()> {
    let new = json!({ "refinement_instructions": "Say what the answer must look like.", "llm_service": "rules" });
    refinement::start(app, caller, prompt.id, read(new)?).await?;
    work(app, caller).await?;
    say("added a refinement");
    Ok(())
}

/// A month of calls: fewer at weekends, two models, and one prompt that became worse three days ago.
async fn use_it(app: &App, caller: &Caller, examples: &[Prompt], answer: &Prompt) -> Result<()> {
    let now = app.clock.now();
    let mut total = 0;
    for day in (0..DAYS).rev() {
        let mut events = Vec::new();
        for (index, prompt) in examples.iter().chain([answer]).enumerate() {
            let busy = if day % 7 < 2 { 4 } else { 12 };
            for n in 0..busy + index {
                events.push(event(prompt, index, now - Duration::from_hours(24 * day), n, day)?);
            }
        }
        total += events.len();
        analytics::record(app, caller, events, false).await?;
    }
    work(app, caller).await?;
    say(&format!("added {total} calls of {DAYS} days"));
    Ok(())
}

fn event(prompt: &Prompt, index: usize, day_end: Timestamp, n: usize, day: u64) -> Result<UsageEvent> {
    let salt = index * 1000 + usize::try_from(day).unwrap_or(0);
    let at = day_end - Duration::from_secs(60 * (5 + n as u64 * 61));
    let is_worse = index == 0 && day < 3;
    let success = chance(n, salt) < if is_worse { 700 } else { 960 };
    let (model, price) = [("small-model", 0.000_4), ("large-model", 0.006)][usize::from(chance(n, salt + 7) < 300)];
    let (tokens, service) = (300 + chance(n, salt + 1), ["chat", "helpdesk"][n % 2]);
    read(json!({
        "event_id": format!("demo-{}-{day}-{n}", prompt.id), "prompt_id": prompt.id, "version": prompt.version,
        "success": success, "response_time_ms": 250 + chance(n, salt + 2) * if is_worse { 4 } else { 2 },
        "input_tokens": tokens, "output_tokens": 80 + chance(n, salt + 3) / 4, "model": model, "cost_usd": price,
        "score": 0.6 + f64::from(u16::try_from(chance(n, salt + 4)).unwrap_or(0)) / 3000.0,
        "user_id": format!("user-{}", chance(n, salt + 5) % 90), "service_name": service,
        "occurred_at": at.to_string(),
    }))
}

/// An A/B test that has run for a while, with a variant that does better.
async fn test(app: &App, caller: &Caller, control: &Prompt, challenger: &Prompt) -> Result<()> {
    let new = json!({
        "name": "Does a warmer answer help?", "description": "Whether the customer writes again within a day.",
        "variants": [{ "name": "brief", "prompt_id": control.id, "weight": 0.5 },
                     { "name": "warm", "prompt_id": challenger.id, "weight": 0.5 }],
        "metrics": [{ "name": "resolved", "kind": "binary" }], "status": "running",
    });
    let test = ab_testing::create(app, caller, read(new)?).await?;
    let mut outcomes = Vec::with_capacity(UNITS);
    for n in 0..UNITS {
        let subject = Subject { user_id: Some(format!("customer-{n}")), session_id: None };
        let selected = ab_testing::select(app, caller, test.id, &subject, &Context::new(), None).await?;
        let rate = if selected.experiment.variant == "warm" { 620 } else { 520 };
        let value = f64::from(u8::from(chance(n, 11) < rate));
        outcomes.push(Outcome { unit_id: selected.experiment.unit_id, metric: "resolved".to_owned(), value });
    }
    ab_testing::record_outcomes(app, caller, test.id, outcomes, false).await?;
    say(&format!("added an A/B test with {UNITS} units"));
    Ok(())
}
