//! Models that do not answer, or lie: the refinement fails with a code a person understands, and the worker stays healthy.
use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use serde_json::{Value, json};
use support::TestApp;

use super::{begin, framed, prompt, refine, said, session, store};

const HOUR: Duration = Duration::from_hours(1);

/// Works the refinement to its end, waiting as long as the store wants to.
async fn to_the_end(test: &TestApp, begun: &Value) -> Value {
    for _ in 0..10 {
        test.work().await;
        let now = session(test, begun).await;
        if now["status"] != "processing" {
            return now;
        }
        test.advance(HOUR);
    }
    panic!("it does not end");
}

/// What comes of a model that answers so, and that the worker goes on.
async fn fails(answer: impl Fn(usize) -> Response + Send + Sync + 'static, code: &str, calls: usize) -> Value {
    let (test, model) = store(move |n, _| answer(n)).await;
    let prompt = prompt(&test).await;
    let done = to_the_end(&test, &begin(&test, &prompt, "interpreter").await).await;
    assert_eq!((&done["status"], &done["error"]["code"]), (&json!("failed"), &json!(code)), "{done}");
    assert!(done["error"]["detail"].as_str().unwrap().len() > 20 && done["finished_at"].is_string());
    assert_eq!((model.count(), done["calls"].as_array().unwrap().len()), (calls, calls), "{done}");
    assert_eq!(refine(&test, &prompt, "rules").await["status"], "completed", "the worker is healthy");
    assert_eq!(test.count("SELECT count(*) FROM jobs WHERE state <> 'done'").await, 0);
    done
}

#[tokio::test]
async fn row_68_html_and_invalid_json_are_no_answer() {
    let html = |_| ([(header::CONTENT_TYPE, "text/html")], "<html>login</html>").into_response();
    fails(html, "answer-unreadable", 1).await;
    fails(|_| "{\"data\": {".into_response(), "answer-unreadable", 1).await;
    fails(|_| "{\"data\": {\"response_text\": 7}}".into_response(), "answer-unreadable", 1).await;
}

#[tokio::test]
async fn row_68_an_answer_of_a_gibibyte_is_not_read() {
    let endless = |_| {
        let zeros = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])).take(1 << 14);
        Body::from_stream(zeros).into_response()
    };
    fails(endless, "answer-too-large", 1).await;
}

#[tokio::test]
async fn who_does_not_know_our_key_is_not_asked_again() {
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "service-denied"),
        (StatusCode::NOT_FOUND, "service-rejected"),
        (StatusCode::TEMPORARY_REDIRECT, "service-rejected"),
    ] {
        let answer = move |_| (status, [(header::LOCATION, "http://127.0.0.1:9/")]).into_response();
        let done = fails(answer, code, 1).await;
        assert_eq!(done["cost_usd"], 0.0, "it did not even begin");
    }
}

#[tokio::test]
async fn who_is_busy_for_ever_is_asked_four_times_and_not_before_it_wants() {
    let done =
        fails(|_| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "300")]).into_response(), "service-busy", 4).await;
    let at = |n: usize| done["calls"][n]["asked_at"].as_str().unwrap().parse::<shared::clock::Timestamp>().unwrap();
    assert!((1..4).all(|n| at(n).since(at(n - 1)) >= Duration::from_mins(5)), "{}", done["calls"]);
    fails(|_| StatusCode::BAD_GATEWAY.into_response(), "service-error", 4).await;
}

#[tokio::test]
async fn who_has_an_error_once_is_asked_again() {
    let (test, model) = store(|n, _| match n {
        0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => said(&framed("Now {{topic}} for {{audience}}.")).into_response(),
    })
    .await;
    let prompt = prompt(&test).await;
    let done = to_the_end(&test, &begin(&test, &prompt, "interpreter").await).await;
    assert_eq!((&done["status"], model.count()), (&json!("completed"), 2), "{done}");
    assert_eq!(done["calls"][0]["error_code"], "service-error");
}

/// Takes every connection, and does this to it.
fn listener(treat: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(treat));
    url
}

async fn fails_at(url: &str, code: &str) {
    let test = TestApp::with(&["--interpreter-url", url, "--llm-timeout-ms", "200"]).await;
    let prompt = prompt(&test).await;
    let done = to_the_end(&test, &begin(&test, &prompt, "interpreter").await).await;
    assert_eq!(done["error"]["code"], code, "{done}");
    assert_eq!(refine(&test, &prompt, "rules").await["status"], "completed", "the worker is healthy");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_68_a_model_that_never_answers_or_breaks_off_is_given_up() {
    let (kept, keep) = std::sync::mpsc::channel();
    let silent = listener(move |stream| kept.send(stream).unwrap());
    fails_at(&silent, "service-timeout").await;
    drop(keep);
    let half = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"data\": {\"resp");
    });
    fails_at(&half, "service-unreachable").await;
    let closed = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    fails_at(&format!("http://{closed}"), "service-unreachable").await;
    fails_at("http://169.254.169.254", "service-blocked").await;
}

#[tokio::test]
async fn a_worker_that_does_not_know_the_service_says_so() {
    let (test, model) = store(|_, _| StatusCode::OK).await;
    let begun = begin(&test, &prompt(&test).await, "interpreter").await;
    let other = test.another_with(&[]).await;
    other.work().await;
    let done = session(&test, &begun).await;
    assert_eq!((&done["error"]["code"], model.count()), (&json!("service-not-configured"), 0), "{done}");
}

#[tokio::test]
async fn others_are_told_of_every_step() {
    let (test, _model) = store(|n, _| {
        if n == 0 { said(&framed("{{topic}} {{audience}}")).into_response() } else { StatusCode::GONE.into_response() }
    })
    .await;
    let mut events = test.follow(None).await;
    let prompt = prompt(&test).await;
    refine(&test, &prompt, "interpreter").await;
    let failed = refine(&test, &prompt, "interpreter").await;
    let mut told = Vec::new();
    while told.len() < 4 {
        let (_, event, data) = events.next().await.unwrap();
        if event.starts_with("refinement.") {
            told.push((event, data));
        }
    }
    let types: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(types, ["refinement.started", "refinement.completed", "refinement.started", "refinement.failed"]);
    let last = serde_json::to_string(&told[3].1).unwrap();
    assert!(last.contains(failed["session_id"].as_str().unwrap()) && last.contains("service-rejected"), "{last}");
}
