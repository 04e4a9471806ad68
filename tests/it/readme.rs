//! The README's tour, line by line, against the real binary.
use std::process::{Command, Stdio};

use support::Processes;

use crate::sources::top;

/// The commands of the tour: the lines of every `sh` block in its section.
fn tour() -> Vec<String> {
    let readme = std::fs::read_to_string(top().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with("Five minutes")).unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_tour_works() {
    let store = Processes::embedded();
    let _api = store.start_api().await;
    let lines = tour();
    assert!(lines.len() > 20, "the tour is not where this test looks for it");
    // The bulk operation is asked for as soon as it is ordered; a person types more slowly.
    let script: String = lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let line = line.replace("127.0.0.1:5110", &format!("127.0.0.1:{}", store.port()));
            format!("printf '\\n@@%s\\n' {number}\n{line}\n")
        })
        .collect();
    let output = Command::new("bash")
        .args(["-eu", "-c", &script])
        .current_dir(store.folder())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    let answer_of = |part: &str| {
        let number =
            lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("no line has `{part}`"));
        printed.split(&format!("\n@@{number}\n")).nth(1).unwrap().split("\n@@").next().unwrap().to_owned()
    };
    for (line, answer) in [
        ("\"name\": \"intro\"", "\"variables\":[\"topic\",\"audience\"]"),
        ("audience=children", "\"filled_content\":\"Introduce rain to children.\""),
        ("intro?topic=rain\"", "missing-variables"),
        ("\"input_schema\"", "\"version\":2"),
        ("labels/production", "\"label\":\"production\",\"version\":2"),
        ("/content -d", "\"version\":3"),
        ("label=latest", "In one paragraph, introduce rain to everyone."),
        ("/diff?", "\"unified\":\"--- version 2\\n+++ version 3"),
        ("/rollback", "\"version\":4"),
        ("curl -s $store/prompts/$id/versions", "\"total\":4"),
        ("If-Match: \"1\"", "HTTP/1.1 412"),
        ("If-Match: *", "HTTP/1.1 200"),
        ("$operation", "\"total_items\":3"),
        ("$store/prompts/search -d", "{\"from\":\"audiense\",\"to\":\"audience\"}"),
        ("/suggest?q=int", "\"text\":\"intro\""),
        ("$tagged/events", "event: done"),
        ("--data-binary", "\"operation_type\":\"import\""),
        ("analytics/usage -d", "\"accepted\":1"),
        ("analytics/summary", "\"events\":1"),
        ("refinement/sessions/", "\"status\":\"completed\""),
        ("refinement/apply/", "\"content\":\"Summarise {{text}} in one sentence.\""),
        ("sort=name", "\"total\":1"),
        ("$store/prompts/tags", "\"tag\":\"short\""),
        ("/restore", "\"revision\":"),
        ("/health", "\"status\":\"healthy\""),
    ] {
        assert!(answer_of(line).contains(answer), "`{line}` should answer `{answer}`:\n{}", answer_of(line));
    }
    assert_eq!(
        printed.matches("idempotency-replayed: true").count(),
        1,
        "the second of two equal requests is a replay"
    );
    assert!(!printed.contains("\"internal\""), "{printed}");
}
