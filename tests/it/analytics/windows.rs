//! Usage between any two moments: the parts of a time add up to the whole, wherever it is cut, and days of any zone are days.
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use shared::clock::Timestamp;
use support::{TestApp, caller, figure};

use super::{USAGE, event, roll_up};

const EVENTS: usize = 400;

struct Call {
    at: Timestamp,
    tokens: i64,
    model: &'static str,
}

/// Calls of the last five days at odd moments, rolled up.
async fn calls(test: &TestApp, prompt: &Value, random: &mut SmallRng) -> Vec<Call> {
    let start = test.now() - Duration::from_hours(5 * 24);
    let mut calls = Vec::new();
    for _ in 0..EVENTS {
        let at = start + Duration::from_millis(random.random_range(0..5 * 86_400_000_u64));
        let model = ["small", "large"][random.random_range(0..2_usize)];
        calls.push(Call { at, tokens: random.random_range(1..1000), model });
    }
    let body: Vec<Value> = calls
        .iter()
        .map(|call| event(prompt, json!({ "occurred_at": call.at.to_string(), "input_tokens": call.tokens, "model": call.model, "success": true })))
        .collect();
    test.post(USAGE, json!(body)).await.expect(202);
    roll_up(test).await;
    calls
}

async fn series(test: &TestApp, (from, to): (Timestamp, Timestamp), more: &str) -> Value {
    test.get(&format!("{USAGE}?start_date={from}&end_date={to}{more}")).await.expect(200)
}

/// How many calls and tokens all series have, as totals and over their points.
fn sums(series: &Value) -> [(i64, i64); 2] {
    let of = |figures: &Value| (figures["events"].as_i64().unwrap(), figures["input_tokens"].as_i64().unwrap());
    let and = |sum: (i64, i64), (events, tokens): (i64, i64)| (sum.0 + events, sum.1 + tokens);
    let all = series["series"].as_array().unwrap();
    let totals = all.iter().map(|it| of(&it["totals"])).fold((0, 0), and);
    let points = all.iter().flat_map(|it| it["points"].as_array().unwrap()).map(of).fold((0, 0), and);
    [totals, points]
}

fn expected(calls: &[Call], (from, to): (Timestamp, Timestamp), model: Option<&str>) -> (i64, i64) {
    let inside = calls.iter().filter(|call| from <= call.at && call.at < to && model.is_none_or(|it| it == call.model));
    inside.fold((0, 0), |(events, tokens), call| (events + 1, tokens + call.tokens))
}

#[tokio::test]
async fn a_time_that_is_cut_anywhere_adds_up_to_the_whole() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let mut random = SmallRng::seed_from_u64(7);
    let calls = calls(&test, &prompt, &mut random).await;
    let id = prompt["id"].as_str().unwrap();
    let start = test.now() - Duration::from_hours(5 * 24);
    let mut asked = 0;
    for turn in 0..12 {
        let mut cuts: Vec<_> =
            (0..3).map(|_| start + Duration::from_millis(random.random_range(0..5 * 86_400_000_u64))).collect();
        // An event is on the edge itself.
        cuts[1] = if turn % 3 == 0 { calls[turn].at } else { cuts[1] };
        cuts.sort_unstable();
        let [first, middle, last] = [cuts[0], cuts[1], cuts[2]];
        for more in [
            String::new(),
            "&granularity=hour".to_owned(),
            "&granularity=week".to_owned(),
            "&group_by=model".to_owned(),
            "&group_by=prompt".to_owned(),
            format!("&group_by=version&prompt_id={id}"),
            "&utc_offset_minutes=330".to_owned(),
            "&granularity=week&utc_offset_minutes=-300".to_owned(),
        ] {
            let mut parts = (0, 0);
            for span in [(first, middle), (middle, last), (first, last)] {
                if span.0 == span.1 {
                    continue;
                }
                let shown = series(&test, span, &more).await;
                assert_eq!(sums(&shown), [expected(&calls, span, None); 2], "{span:?} {more}: {shown}");
                assert_eq!(
                    (&shown["start"], &shown["until"]),
                    (&json!(span.0.to_string()), &json!(span.1.to_string()))
                );
                let (events, tokens) = sums(&shown)[0];
                if span == (first, last) {
                    assert_eq!(parts, (events, tokens), "{span:?} {more}");
                } else {
                    parts = (parts.0 + events, parts.1 + tokens);
                }
                asked += 1;
            }
        }
        let large = series(&test, (first, last), "&group_by=model").await;
        let of_large = large["series"].as_array().unwrap().iter().find(|it| it["group"] == "large");
        let found = of_large.map_or(0, |it| it["totals"]["events"].as_i64().unwrap());
        assert_eq!(found, expected(&calls, (first, last), Some("large")).0);
    }
    figure(
        "windows",
        format_args!("{asked} times cut at any millisecond, in points of UTC and of other zones: all as counted"),
    );
}

#[tokio::test]
async fn days_of_another_zone_are_days_there() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let calls = calls(&test, &prompt, &mut SmallRng::seed_from_u64(8)).await;
    for minutes in [60_i64, -300, 330, 765] {
        let day = (test.now() - Duration::from_hours(3 * 24)).to_string();
        let day = day.split('T').next().unwrap();
        let shown = test
            .get(&format!("{USAGE}?start_date={day}&end_date={day}&utc_offset_minutes={minutes}"))
            .await
            .expect(200);
        let midnight = format!("{day}T00:00:00Z").parse::<Timestamp>().unwrap().millis() - minutes * 60_000;
        let span = (Timestamp::from_millis(midnight), Timestamp::from_millis(midnight + 86_400_000));
        assert_eq!(shown["series"][0]["points"].as_array().unwrap().len(), 1, "{shown}");
        assert_eq!(sums(&shown), [expected(&calls, span, None); 2], "{minutes}");
    }
    for (query, place) in
        [("utc_offset_minutes=7", "/utc_offset_minutes"), ("utc_offset_minutes=900", "/utc_offset_minutes")]
    {
        assert_eq!(test.get(&format!("{USAGE}?{query}")).await.violations()[0].0, place);
    }
}

#[tokio::test]
async fn what_is_not_known_so_finely_any_more_is_refused_and_never_guessed() {
    let test = TestApp::api().await;
    let prompt = test.prompt("a", "b", "one").await;
    let calls = calls(&test, &prompt, &mut SmallRng::seed_from_u64(9)).await;
    let hour = |at: Timestamp| Timestamp::from_millis(at.millis() - at.millis().rem_euclid(3_600_000));
    let (odd, even) = (calls[0].at, hour(calls[0].at));
    let later = even + Duration::from_hours(1);
    let ask = async |from: Timestamp, to: Timestamp, more: &str| {
        test.get(&format!("{USAGE}?start_date={from}&end_date={to}{more}")).await
    };
    // As if the events had been kept long enough: ids of batches never go back in a process, whatever its other clocks say.
    let mut tx = test.app.begin(&caller()).await.unwrap();
    tx.execute("DELETE FROM usage_events", &[]).await.unwrap();
    tx.commit().await.unwrap();

    let refused = ask(odd, later, "").await;
    assert_eq!(refused.violations()[0], ("/start_date".to_owned(), "too-old".to_owned()));
    let known = ask(even, later, "").await.expect(200);
    assert_eq!(sums(&known)[0], expected(&calls, (even, later), None));

    test.advance(Duration::from_hours(101 * 24));
    shared::analytics::purge(&test.app, &caller(), 1000).await.unwrap();
    for more in ["", "&granularity=hour", "&utc_offset_minutes=60"] {
        assert_eq!(ask(even, later, more).await.violations()[0].1, "too-old", "{more}");
    }
    let days = |at: Timestamp| Timestamp::from_millis(at.millis() - at.millis().rem_euclid(86_400_000));
    let (first, last) = (days(calls[0].at), days(calls[0].at) + Duration::from_hours(24));
    assert_eq!(sums(&ask(first, last, "").await.expect(200))[0], expected(&calls, (first, last), None));
}
