//! Refinement by the real binaries: the five steps as a person types them, and workers that are lost at any moment.
use std::{
    process::{Command, Stdio},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Processes, Receiver, RedisServer, figure, in_full, until};

use super::count;
use crate::refinement::{REFINED, framed, said};

/// What a person types: create, refine, look, compare, apply.
const STEPS: &str = r#"
store=http://127.0.0.1:PORT/api/v1
say() { printf '\n@@%s\n' "$1"; }
say create
curl -sf $store/prompts -d '{"category": "writing", "name": "intro", "content": "Write about {{topic}} for {{audience}}."}' | tee created
id=$(grep -o 'prm_[0-9A-Z]*' created | head -1)
say refine
curl -sf $store/prompts/$id/refine -d '{"refinement_instructions": "Be more careful.", "llm_service": "interpreter", "user_id": "me"}' | tee refined
session=$(grep -o 'ref_[0-9A-Z]*' refined | head -1)
say status
for _ in $(seq 300); do
    curl -sf $store/refinement/sessions/$session > status
    grep -q '"status":"processing"' status || break
    read -rt 0.1 <> <(:) || :
done
cat status
say compare
curl -sf $store/prompts/$id/refinement/compare
say apply
curl -sf -X POST $store/prompts/$id/refinement/apply/$session
say read
curl -sf $store/prompts/$id
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_five_steps_work_as_a_person_types_them() {
    let model = Receiver::answering(|_, _| said(&format!("Certainly!\n\n{}\n", framed(REFINED)))).await;
    let store = Processes::embedded().with("INTERPRETER_URL", format!("http://{}", model.address()));
    let _api = store.start_api().await;

    let script = STEPS.replace("PORT", &store.port().to_string());
    let output =
        Command::new("bash").args(["-eu", "-c", &script]).current_dir(store.folder()).stderr(Stdio::inherit()).output();
    let output = output.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();

    assert!(output.status.success(), "{printed}");
    let step = |name: &str| -> Value {
        let part = printed.split(&format!("\n@@{name}\n")).nth(1).unwrap().split("\n@@").next().unwrap();
        serde_json::from_str(part).unwrap_or_else(|error| panic!("{name}: {error}: {part}"))
    };
    assert_eq!((&step("create")["version"], &step("refine")["status"]), (&json!(1), &json!("processing")));
    let status = step("status");
    assert_eq!((&status["status"], &status["result"]["content"]), (&json!("completed"), &json!(REFINED)), "{status}");
    let compare = step("compare");
    assert_eq!((&compare["a"]["version"], &compare["b"]["content"]), (&json!(1), &json!(REFINED)));
    assert_eq!(compare["b"]["session_id"], step("refine")["session_id"]);
    let apply = step("apply");
    assert_eq!((&apply["new_version"], &apply["session_id"]), (&json!(2), &step("refine")["session_id"]));
    assert_eq!((&step("read")["content"], &step("read")["version"]), (&json!(REFINED), &json!(2)));
    assert_eq!(model.count(), 1);
}

/// Moments of a refinement at which its worker is lost: what a statement counts there, of its session.
const MOMENTS: [&str; 4] = [
    "SELECT count(*) FROM refinements WHERE id = ID",
    "SELECT count(*) FROM refinement_calls WHERE refinement_id = ID",
    "SELECT count(*) FROM refinement_calls WHERE refinement_id = ID AND state = 'answered'",
    "SELECT count(*) FROM refinements WHERE id = ID AND status = 'completed'",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_refinement_ends_and_a_lost_worker_costs_one_call_at_most() {
    let sessions = if in_full() { 50 } else { 12 };
    let redis = RedisServer::start();
    // Now and then slow, so that whoever asks is killed while waiting.
    let think = |n: usize| Duration::from_millis([0, 60, 250][n % 3]);
    let model = Receiver::answering_after(think, |_, _| said(&framed("Better: {{topic}}."))).await;
    let store = Processes::distributed(&redis)
        .with("INTERPRETER_URL", format!("http://{}", model.address()))
        .with("PROMPT_STORE_LLM_CALL_USD", "0.01");
    let _api = store.start_api().await;
    let mut worker = store.start_worker();
    let mut random = StdRng::seed_from_u64(11);
    let new = json!({ "category": "c", "name": "n", "content": "Write about {{topic}}." });
    let (_, prompt) = store.post("/api/v1/prompts", &new).await.unwrap();
    let refine = format!("/api/v1/prompts/{}/refine", prompt["id"].as_str().unwrap());

    let (mut calls, mut repeated) = (0, 0);
    for _ in 0..sessions {
        let (status, session) = store.post(&refine, &json!({ "refinement_instructions": "x" })).await.unwrap();
        assert_eq!(status, 202, "{session}");
        let id = session["session_id"].as_str().unwrap();
        let moment = MOMENTS[random.random_range(0..MOMENTS.len())].replace("ID", &format!("'{id}'"));
        until("it came so far", async || (count(&store, &moment).await > 0).then_some(())).await;
        worker.kill();
        worker = store.start_worker();
        let path = format!("/api/v1/refinement/sessions/{id}");
        let ended = until("it ended", async || {
            let (_, session) = store.get(&path).await?;
            (session["status"] != "processing").then_some(session)
        });
        let ended = ended.await;
        assert_eq!(ended["status"], "completed", "{ended}");
        let states: Vec<&str> =
            ended["calls"].as_array().unwrap().iter().map(|call| call["state"].as_str().unwrap()).collect();
        assert!(matches!(states[..], ["answered"] | ["asked", "answered"]), "one call is repeated at most: {ended}");
        calls += states.len();
        repeated += states.len() - 1;
    }

    assert!(model.count() <= calls, "{} requests, {calls} calls written down before they were made", model.count());
    let spent = count(&store, "SELECT CAST(sum(spent_nanos) AS BIGINT) FROM refinement_days").await;
    assert_eq!(spent, i64::try_from(calls).unwrap() * 10_000_000, "what is written down is what is paid for");
    figure(
        "P-L1",
        format_args!(
            "{sessions} refinements, as many workers killed: all completed, {} requests, {repeated} calls repeated",
            model.count()
        ),
    );
    drop(worker);
}
