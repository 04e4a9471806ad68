//! Hostile templates, fifty a second, beside people who read prompts by name.
use std::{sync::Arc, time::Duration};

use serde_json::json;
use support::{Process, Processes};

use super::{
    load::{Make, Outcome, open},
    milliseconds, post,
};

/// What each must be answered within, whatever it is answered.
const ANSWER_AIM: Duration = Duration::from_millis(250);
const MEMORY_AIM: f64 = 64.0;
const SLOWER_AIM: f64 = 2.0;
const RATE: f64 = 50.0;
const READERS: f64 = 500.0;

/// Each keeps a processor busy, or makes something large, until it is stopped.
fn templates() -> Vec<String> {
    let in_loop = |body: &str| {
        format!("{{% for i in range(10000) %}}{{% for j in range(10) %}}{body}{{% endfor %}}{{% endfor %}}")
    };
    let repeated = |step: &str, times: usize, end: &str| format!("{{% set a = 'ab' %}}{}{end}", step.repeat(times));
    vec![
        "{{ 1 in [0] * 100000000 }}".to_owned(),
        "{{ [[0] * 100000000] == [[0] * 100000000] }}".to_owned(),
        "{{ [0] * 100000000 }}".to_owned(),
        "{% for i in range(10000) %}{{ range(10000) }}{% endfor %}".to_owned(),
        "{% macro f(a) %}{{ a }}{{ f(a ~ a) }}{% endmacro %}{{ f('abc') }}".to_owned(),
        "{{ text|replace('a', '<<<<<<<<<<') }}".to_owned(),
        "{{ numbers|sort|length }}{{ numbers|unique|length }}".to_owned(),
        in_loop("{% if text == twin %}{% endif %}"),
        in_loop("{% if twin in text %}{% endif %}"),
        in_loop("{% if numbers == [numbers] %}{% endif %}"),
        in_loop("{% if {text: 1, twin: 2} %}{% endif %}"),
        in_loop("{% if [text, twin]|sort %}{% endif %}"),
        in_loop("{% set a = text ~ text %}"),
        in_loop("{{ text }}"),
        in_loop("{% for k in range(1000) %}{% endfor %}"),
        repeated("{% set a = a ~ a %}", 40, "{{ a }}"),
        repeated("{% set a %}{{ a }}{{ a }}{% endset %}", 40, ""),
        repeated("{% set a = a|replace('a', a) %}", 40, ""),
        format!("{{{{ {}1 }}}}", "-".repeat(60_000)),
        "{% if 1 %}".repeat(6_000),
        "{% set a = 1 %}".repeat(4_000),
        "{{ [text, text, text, text] * 1000 }}".to_owned(),
    ]
}

fn attack() -> Make {
    let values = json!({ "text": "a".repeat(100 * 1024), "twin": "a".repeat(100 * 1024), "numbers": vec![7; 20_000] });
    let request = |template: &String| {
        let body = json!({ "content": template, "template_format": "jinja2", "variables": values });
        post("/api/v1/prompts/render", &body.to_string())
    };
    let requests: Vec<Vec<u8>> = templates().iter().map(request).collect();
    Arc::new(move |n| requests[usize::try_from(n).unwrap() % requests.len()].clone())
}

fn reading() -> Make {
    Arc::new(|n| {
        format!("GET /api/v1/prompts/search/folder{0}/prompt%20{0} HTTP/1.1\r\nHost: localhost\r\n\r\n", n % 50)
            .into_bytes()
    })
}

/// Attacks a store for a while.
pub(crate) async fn run(store: &Processes, api: &Process, time: Duration) -> bool {
    let (port, attack, reading) = (store.port(), attack(), reading());
    open(port, &reading, READERS, time / 6).await;
    let before = open(port, &reading, READERS, time / 3).await;
    let memory = api.peak_mib();
    let (attacked, readers) = tokio::join!(open(port, &attack, RATE, time), open(port, &reading, READERS, time));
    let more = api.peak_mib() - memory;
    let (calm, meanwhile) = (before.within(990), readers.within(990));
    let slower = meanwhile.as_secs_f64() / calm.as_secs_f64();
    let slowest = attacked.all_within(1000);
    let kept = slowest <= ANSWER_AIM
        && more <= MEMORY_AIM
        && slower <= SLOWER_AIM
        && readers.statuses().keys().all(|status| *status == 200)
        && is_stopped(&attacked);
    println!(
        "\n{} hostile templates, {RATE} a second, {:?}: answered within {:.0} ms at most ({:.0} at p99), {more:.0} MiB more; \
         {READERS} reads by name a second: p99 {:.1} ms before, {:.1} ms meanwhile, {slower:.2} times. {}",
        attacked.answered(),
        attacked.statuses(),
        milliseconds(slowest),
        milliseconds(attacked.all_within(990)),
        milliseconds(calm),
        milliseconds(meanwhile),
        if kept { "" } else { "**missed**" },
    );
    kept
}

/// Filled, refused as it stands, or told to come back.
fn is_stopped(attacked: &Outcome) -> bool {
    attacked.is_polite() && attacked.statuses().keys().all(|status| [200, 422, 503].contains(status))
}
