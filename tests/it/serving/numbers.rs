//! A number is filled, kept and exported as it was sent, or refused.
use axum::{body::Body, http::Method};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use support::{Reply, TestApp, figure};

use super::PROMPTS;

const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(test: &TestApp, path: &str, body: String) -> Reply {
    test.request(Method::POST, path, &[JSON], Body::from(body)).await
}

/// The value of a number, however it is written: its digits without zeros around them, and the power of ten of the last.
fn value(number: &str) -> (bool, String, i64) {
    let (negative, rest) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - kept.len()).unwrap();
    let power = power.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap() + zeros;
    match kept.trim_start_matches('0') {
        "" => (false, String::new(), 0),
        kept => (negative, kept.to_owned(), power),
    }
}

/// As people and programs write numbers.
fn number(random: &mut StdRng) -> String {
    let digits = |random: &mut StdRng, most: usize| -> String {
        let length = random.random_range(1..=most);
        (0..length).map(|_| char::from(b'0' + random.random_range(0..10_u8))).collect()
    };
    let whole = digits(random, 24).trim_start_matches('0').to_owned();
    let whole = if whole.is_empty() { "0".to_owned() } else { whole };
    let sign = if random.random_bool(0.3) { "-" } else { "" };
    match random.random_range(0..4) {
        0 => format!("{sign}{whole}"),
        1 => format!("{sign}{}.{}", &whole[..whole.len().min(8)], digits(random, 20)),
        2 => format!("{sign}{}.{}", &whole[..whole.len().min(4)], digits(random, 6)),
        _ => format!("{sign}{}e{}", &whole[..whole.len().min(6)], random.random_range(-30..30)),
    }
}

/// What stands between two signs in a text.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let rest = &text[text.find(begin).unwrap_or_else(|| panic!("no {begin} in {text}")) + begin.len()..];
    &rest[..rest.find(end).unwrap()]
}

/// Sends a number on every way that JSON goes: what came back of it each time; nothing, where it was refused.
async fn round(test: &TestApp, name: usize, number: &str) -> Option<Vec<(&'static str, String)>> {
    let body = format!(
        r#"{{"category":"n","name":"n{name}","content":"<{{{{d}}}}>","config":{{"a":[{{"b":{number}}}]}},
            "input_schema":{{"d":{{"type":"number","default":{number}}}}}}}"#
    );
    let made = post(test, PROMPTS, body).await;
    if made.status == 422 {
        let violations = made.violations();
        assert_eq!(violations, [("/config/a/0/b".to_owned(), "number-not-exact".to_owned())], "{number}");
        return None;
    }
    let text = String::from_utf8(made.bytes).unwrap();
    let mut came = vec![
        ("config", between(&text, "\"b\":", "}").to_owned()),
        ("default", between(&text, "\"default\":", "}").to_owned()),
    ];
    let filled = |reply: Reply| {
        let body = reply.expect(200);
        let text = body["filled_content"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
        between(&text, "<", ">").to_owned()
    };
    let path = format!("{PROMPTS}/search/n/n{name}");
    came.push(("filled by default", filled(post(test, &path, r#"{"variables":{}}"#.to_owned()).await)));
    came.push(("filled", filled(post(test, &path, format!(r#"{{"variables":{{"d":{number}}}}}"#)).await)));
    came.push(("filled by query", filled(test.get(&format!("{path}?d={number}")).await)));
    for format in ["mustache", "jinja2", "fstring"] {
        let content = if format == "fstring" { "<{x}>" } else { "<{{ x }}>" };
        let body = format!(r#"{{"content":"{content}","template_format":"{format}","variables":{{"x":{number}}}}}"#);
        came.push((format, filled(post(test, &format!("{PROMPTS}/render"), body).await)));
    }
    Some(came)
}

#[tokio::test]
async fn a_number_comes_back_with_its_value_or_is_refused_from_the_wire_to_the_export_and_back() {
    let (test, mut random) = (TestApp::api().await, StdRng::seed_from_u64(4));
    let mut numbers: Vec<String> = (0..60).map(|_| number(&mut random)).collect();
    numbers.extend(
        [
            "0",
            "-0",
            "1.10",
            "1e3",
            "0.1",
            "18446744073709551615",
            "-9223372036854775808",
            "18446744073709551616",
            "123456789012345678901234",
            "9007199254740993",
            "9007199254740993.0",
            "3.141592653589793238",
        ]
        .map(str::to_owned),
    );
    let mut kept = Vec::new();
    for (name, number) in numbers.iter().enumerate() {
        let Some(came) = round(&test, name, number).await else { continue };
        for (way, came) in came {
            assert_eq!(value(&came), value(number), "{number} came back as {came} ({way})");
        }
        kept.push(number.clone());
    }
    for exact in ["0", "1.10", "1e3", "0.1", "18446744073709551615", "9007199254740993"] {
        assert!(kept.iter().any(|number| number == exact), "{exact} is exact");
    }
    for inexact in ["18446744073709551616", "123456789012345678901234", "3.141592653589793238"] {
        assert!(!kept.iter().any(|number| number == inexact), "{inexact} is not");
    }
    let exported = test.get("/api/v1/bulk/export").await.bytes;
    let target = TestApp::api().await;
    let ndjson = [("content-type", "application/x-ndjson")];
    target.request(Method::POST, "/api/v1/bulk/import", &ndjson, Body::from(exported.clone())).await.expect(202);
    target.work().await;
    assert!(target.get("/api/v1/bulk/export").await.bytes == exported, "byte for byte");
    let text = String::from_utf8(exported).unwrap();
    for (line, number) in text.lines().zip(&kept) {
        assert_eq!(value(between(line, "\"b\":", "}")), value(number), "{line}");
    }
    figure("numbers", format_args!("{} of {} kept on 9 ways each, the others refused", kept.len(), numbers.len()));
}

#[tokio::test]
async fn a_number_that_cannot_be_kept_is_refused_wherever_it_stands() {
    let test = TestApp::api().await;
    let id = test.prompt("a", "b", "{{x}}").await["id"].as_str().unwrap().to_owned();
    let big = "123456789012345678901234";
    for (method, path, body, pointer) in [
        (Method::POST, format!("{PROMPTS}/search/a/b"), format!(r#"{{"variables":{{"x":{big}}}}}"#), "/variables/x"),
        (
            Method::POST,
            format!("{PROMPTS}/render"),
            format!(r#"{{"content":"","variables":{{"x":[0,{big}]}}}}"#),
            "/variables/x/1",
        ),
        (
            Method::POST,
            format!("{PROMPTS}/batch-get"),
            format!(r#"{{"items":[{{"variables":{{"x":{big}}}}}]}}"#),
            "/items/0/variables/x",
        ),
        (Method::PUT, format!("{PROMPTS}/{id}"), format!(r#"{{"config":{{"seed":{big}}}}}"#), "/config/seed"),
        (Method::POST, format!("{PROMPTS}/{id}/fork"), format!(r#"{{"config":{{"a/b":{big}}}}}"#), "/config/a~1b"),
        (
            Method::POST,
            "/api/v1/bulk/prompts".to_owned(),
            format!(r#"[{{"config":{{"seed":-{big}}}}}]"#),
            "/0/config/seed",
        ),
        (
            Method::POST,
            format!("{PROMPTS}/{id}/relationships"),
            format!(r#"{{"metadata":{{"n":{big}}}}}"#),
            "/metadata/n",
        ),
        (Method::POST, "/api/v1/analytics/usage".to_owned(), format!(r#"{{"input_tokens":{big}}}"#), "/input_tokens"),
    ] {
        let reply = test.request(method, &path, &[JSON], Body::from(body.clone())).await;
        assert_eq!(reply.violations(), [(pointer.to_owned(), "number-not-exact".to_owned())], "{path} {body}");
    }
    let line = format!(r#"{{"category":"a","name":"line","content":"x","config":{{"seed":{big}}}}}"#);
    let ndjson = [("content-type", "application/x-ndjson")];
    let operation = test.request(Method::POST, "/api/v1/bulk/import", &ndjson, Body::from(line)).await.expect(202);
    test.work().await;
    let path = format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap());
    let told = test.get(&path).await.expect(200);
    assert!(told["errors"][0]["detail"].as_str().unwrap().contains("send it as text"), "{told}");
}

#[tokio::test]
async fn a_query_fills_the_digits_that_were_sent_and_an_integer_never_has_a_fraction() {
    let schema = json!({ "i": { "type": "integer" }, "n": { "type": "number" }, "l": { "type": "array" } });
    let fields = json!({ "content": "{{i}}|{{n}}|{{l}}|{{t}}", "input_schema": schema });
    let test = super::kept(fields).await;
    let get = async |i: &str, n: &str, l: &str| test.get(&format!("{}?i={i}&n={n}&l={l}&t=1.10", super::NAMED)).await;
    for (i, filled) in [("5.0", "5"), ("1e3", "1000"), ("-2.0", "-2"), ("18446744073709551615", "18446744073709551615")]
    {
        let text = get(i, "0.5", "[1]").await.expect(200)["filled_content"].clone();
        assert_eq!(text, json!(format!("{filled}|0.5|[1]|1.10")), "{i}");
        let body: Value =
            json!({ "variables": { "i": serde_json::from_str::<Value>(i).unwrap(), "n": 1, "l": [], "t": "" } });
        let text = test.post(super::NAMED, body).await.expect(200)["filled_content"].clone();
        assert_eq!(text, json!(format!("{filled}|1|[]|")), "{i}");
    }
    for (i, n, l, name, code) in [
        ("18446744073709551616", "1", "[]", "i", "number-not-exact"),
        ("1e20", "1", "[]", "i", "wrong-type"),
        ("0.5", "1", "[]", "i", "wrong-type"),
        ("x", "1", "[]", "i", "wrong-type"),
        ("1", "99999999999999999999", "[]", "n", "number-not-exact"),
        ("1", "1", "[99999999999999999999]", "l", "number-not-exact"),
    ] {
        let violations = get(i, n, l).await.violations();
        assert!(violations.contains(&(format!("/variables/{name}"), code.to_owned())), "{i} {n} {l}: {violations:?}");
    }
}

#[tokio::test]
async fn a_default_of_null_is_no_default() {
    let schema = json!({ "x": { "default": null }, "y": { "required": false, "default": null } });
    let test = super::kept(json!({ "content": "{{x}}{{y}}", "input_schema": schema })).await;
    assert_eq!(
        super::fill(&test, json!({})).await.violations(),
        [("/variables/x".to_owned(), "missing-variable".to_owned())]
    );
    let prompt = test.get(super::NAMED).await.expect(200);
    assert_eq!(prompt["input_schema"], json!({ "x": { "required": true }, "y": { "required": false } }));
}
