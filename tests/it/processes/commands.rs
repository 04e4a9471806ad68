//! The commands around the store: what they print, what they change, and with which code they end.
use std::{path::PathBuf, process::Stdio};

use clap::{Args, Command};
use serde_json::json;
use support::{Processes, until};

use super::{contents, count};

const PROMPTS: &str = "SELECT count(*) FROM prompts";

fn file(store: &Processes, name: &str, text: &str) -> String {
    let path: PathBuf = store.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn seeding_twice_adds_nothing() {
    let store = Processes::embedded();

    let (first, _, said) = store.run("prompt-store", &["seed"]);
    let made = (count(&store, PROMPTS).await, count(&store, "SELECT count(*) FROM versions").await);
    let (second, _, said_again) = store.run("prompt-store", &["seed"]);

    assert_eq!((first, second), (0, 0));
    assert!(said.contains("7 of 7") && said_again.contains("0 of 7"), "{said}{said_again}");
    assert_eq!(made.0, 7);
    assert_eq!((count(&store, PROMPTS).await, count(&store, "SELECT count(*) FROM versions").await), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_has_something_of_everything() {
    let store = Processes::embedded();
    for _ in 0..2 {
        let (code, _, said) = store.run("prompt-store", &["seed", "--demo"]);
        assert_eq!(code, 0, "{said}");
    }
    // The second time adds nothing.
    for (sql, rows) in [
        ("SELECT count(*) FROM prompts", 7 + 3 + 40),
        ("SELECT count(*) FROM ab_tests WHERE status = 'running'", 1),
        ("SELECT count(*) FROM ab_assignments", 600),
        ("SELECT count(*) FROM relationships", 5),
        ("SELECT count(*) FROM bulk_operations WHERE status = 'completed'", 1),
        ("SELECT count(*) FROM bulk_operations WHERE status = 'completed_with_errors'", 1),
        ("SELECT count(*) FROM refinements WHERE status = 'completed'", 1),
        ("SELECT count(*) FROM webhooks", 1),
        ("SELECT count(*) FROM usage_batches", 0),
        ("SELECT count(*) FROM jobs WHERE state = 'dead'", 0),
    ] {
        assert_eq!(count(&store, sql).await, rows, "{sql}");
    }
    let _api = store.start_api().await;
    let (_, summary) = store.get("/api/v1/analytics/summary?days_back=30").await.unwrap();
    assert!(summary["totals"]["events"].as_i64().unwrap() > 2000, "{summary}");
    let (_, tests) = store.get("/api/v1/ab-tests").await.unwrap();
    let path = format!("/api/v1/ab-tests/{}/results", tests["items"][0]["id"].as_str().unwrap());
    let (status, results) = store.get(&path).await.unwrap();
    assert_eq!(status, 200, "{results}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_kind_are_imported_and_bad_rows_told_of_and_passed_over() {
    let csv = "name,content\r\nfirst,\"two\nlines, \"\"quoted\"\" 🙂\"\r\nsecond,\r\nthird,日本語\r\nthird,again\r\n";
    let json = json!([
        { "name": "first", "content": "two\nlines, \"quoted\" 🙂" },
        { "name": "second", "content": "" },
        { "name": "third", "content": "日本語" },
        { "name": "third", "content": "again" },
    ]);
    let ndjson: String = json.as_array().unwrap().iter().map(|row| format!("{row}\n")).collect();
    let yaml = "- name: first\n  content: |-\n    two\n    lines, \"quoted\" 🙂\n- {name: second, content: ''}\n\
                - {name: third, content: 日本語}\n- {name: third, content: again}\n";
    for (name, text, place) in [
        ("p.csv", csv, "row 2 (line 4)"),
        ("p.json", &json.to_string(), "row 2"),
        ("p.ndjson", &ndjson, "line 2"),
        ("p.yaml", yaml, "row 2"),
    ] {
        let store = Processes::embedded();
        let path = file(&store, name, text);
        for args in [["import", &path, "--dry-run"].as_slice(), &["import", &path]] {
            let (code, printed, said) = store.run("prompt-store", args);
            let lines: Vec<_> = said.lines().collect();
            assert_eq!((code, printed.as_str(), lines.len()), (1, "", 3), "{name} {args:?}: {said}");
            assert!(lines[0].starts_with(&format!("{place}: validation-failed: ")), "{name} {args:?}: {said}");
            assert!(lines[1].contains(": prompt-name-taken: "), "{name} {args:?}: {said}");
            assert!(lines[2].contains("2 prompts ") && lines[2].contains("2 refused"), "{name} {args:?}: {said}");
            let made = if args.len() == 3 { 0 } else { 2 };
            assert_eq!(count(&store, PROMPTS).await, made, "{name} {args:?}");
        }
        let _api = store.start_api().await;
        let found = contents(&store).await;
        assert_eq!(found["first"], "two\nlines, \"quoted\" 🙂", "{name}");
        assert_eq!(found["third"], "日本語", "{name}");
    }
}

#[tokio::test]
async fn a_dry_run_of_an_import_foretells_names_repeated_far_apart() {
    let store = Processes::embedded();
    let rows: String = (0..250).map(|row| format!("p{},content {}\n", row % 125, row % 50)).collect();
    let path = file(&store, "p.csv", &format!("name,content\n{rows}"));
    for on_conflict in ["fail", "skip", "update"] {
        let store = Processes::embedded();
        let run = |more: &[&str]| {
            let (code, _, said) =
                store.run("prompt-store", &[&["import", &path, "--on-conflict", on_conflict], more].concat());
            (code, said.replace("would be stored", "stored"))
        };
        let foretold = run(&["--dry-run"]);
        assert_eq!(count(&store, PROMPTS).await, 0);
        assert_eq!(run(&[]), foretold, "{on_conflict}");
        assert_eq!(count(&store, PROMPTS).await, 125);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_said() {
    let store = Processes::embedded();
    let folder = store.folder().to_str().unwrap().to_owned();
    for path in [
        folder.clone(),
        format!("{folder}/missing.csv"),
        file(&store, "empty.csv", ""),
        file(&store, "broken.json", "[{]"),
        file(&store, "broken.yaml", "- [a\n"),
        file(&store, "columns.csv", "what,why\na,b\n"),
        file(&store, "unknown.txt", "a"),
    ] {
        let (code, printed, said) = store.run("prompt-store", &["import", &path]);
        assert_eq!((code, printed.as_str(), said.lines().count()), (66, "", 1), "{path}: {said}");
        assert!(said.contains(&path) && !said.contains("panicked") && !said.contains("os error"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_while_the_store_serves_disturbs_nobody() {
    let store = Processes::embedded();
    let _api = store.start_api().await;
    let rows: String = (0..500).map(|row| format!("imported {row},content\n")).collect();
    let path = file(&store, "p.csv", &format!("name,content\n{rows}"));
    let mut command = store.command("prompt-store", &["import", &path]);
    let import = tokio::task::spawn_blocking(move || Processes::finish(&mut command));

    let mut made = 0;
    until("the import is over", async || {
        let body = json!({ "category": "meanwhile", "name": format!("n{made}"), "content": "x" });
        assert_eq!(store.post("/api/v1/prompts", &body).await.unwrap().0, 201);
        made += 1;
        import.is_finished().then_some(())
    })
    .await;

    let (code, _, said) = import.await.unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("500 prompts stored"), "{said}");
    assert_eq!(contents(&store).await.len(), 500 + made);
}

#[tokio::test]
async fn migrating_makes_the_tables_and_can_be_done_again() {
    let store = Processes::embedded();
    for _ in 0..2 {
        let (code, printed, said) = store.run("prompt-store", &["migrate"]);
        assert_eq!((code, printed.as_str()), (0, ""), "{said}");
    }
    assert_eq!(count(&store, PROMPTS).await, 0);
}

#[test]
fn the_contract_is_printed_as_it_is_published() {
    let store = Processes::embedded();
    let (code, printed, said) = store.run("prompt-store", &["openapi"]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(printed, api::document());
    assert!(!store.is_made(), "it needs no database");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_asked_with_a_command() {
    let store = Processes::embedded();
    let (code, _, said) = store.run("prompt-store", &["health"]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");

    let _api = store.start_api().await;

    let (code, _, said) = store.run("prompt-store", &["health"]);
    assert_eq!((code, said.trim()), (0, "ready"));
    let (code, _, said) = Processes::finish(store.command("prompt-store", &["health"]).env("PROMPT_STORE_HOST", "::1"));
    assert_eq!(code, 1, "nobody listens there: {said}");
}

#[test]
fn help_lists_every_setting_with_its_variable_and_default_and_no_secret() {
    let store = Processes::embedded();
    let settings = shared::config::Settings::augment_args(Command::new("x"));
    let all = api::config::Edge::augment_args(settings.clone());
    for (name, arguments) in [("prompt-store", all), ("prompt-store-worker", settings)] {
        let mut command = store.command(name, &["--help"]);
        let secret = "never-to-be-printed-anywhere";
        for variable in ["PROMPT_STORE_ADMIN_KEY", "PROMPT_STORE_SECRET_KEY"] {
            command.env(variable, secret);
        }
        command.env("REDIS_URL", format!("redis://:{secret}@localhost"));
        let (code, printed, said) = Processes::finish(&mut command);
        assert_eq!((code, said.as_str()), (0, ""));
        assert!(!printed.contains(secret), "{printed}");
        for argument in arguments.get_arguments() {
            let variable = argument.get_env().unwrap().to_str().unwrap();
            assert!(printed.contains(&format!("[env: {variable}")), "{name}: {variable}");
            for default in argument.get_default_values().iter().filter(|default| !default.is_empty()) {
                let default = default.to_str().unwrap();
                assert!(printed.contains(&format!("[default: {default}]")), "{name}: {variable}: {default}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_store_is_the_same_once_it_is_imported() {
    let (source, target) = (Processes::embedded(), Processes::embedded());
    source.run("prompt-store", &["seed"]);
    let export = |store: &Processes| {
        let (code, exported, said) = store.run("prompt-store", &["export"]);
        assert_eq!(code, 0, "{said}");
        exported
    };
    let exported = export(&source);
    let path = file(&target, "store.ndjson", &exported);

    let (code, _, said) = target.run("prompt-store", &["import", &path]);

    assert_eq!(code, 0, "{said}");
    assert_eq!((exported.lines().count(), count(&target, PROMPTS).await), (7, 7));
    assert_eq!(export(&target), exported);
    let copy = target.folder().join("copy.ndjson");
    let (code, printed, _) = target.run("prompt-store", &["export", "-o", copy.to_str().unwrap()]);
    assert_eq!((code, printed.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(copy).unwrap(), exported);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_operation_is_watched_until_its_end() {
    let store = Processes::embedded();
    let _api = store.start_api().await;
    let body =
        json!([{ "category": "c", "name": "n", "content": "x" }, { "category": "c", "name": "n", "content": "x" }]);
    let (_, operation) = store.post("/api/v1/bulk/prompts", &body).await.unwrap();

    let (code, _, said) = store.run("prompt-store", &["bulk", "watch", operation["id"].as_str().unwrap()]);

    assert_eq!(code, 1, "{said}");
    assert!(said.contains("item 1: duplicate: ") && said.contains("1 of 2 done, 0 skipped, 1 refused"), "{said}");
    let (code, _, said) = store.run("prompt-store", &["bulk", "watch", "op_01J9Z3N5T8QWERTYASDFGHZXCV"]);
    assert_eq!(code, 1, "{said}");
}

#[test]
fn whoever_reads_no_further_has_heard_enough() {
    let store = Processes::embedded();
    let mut command = store.command("prompt-store", &["openapi"]);
    let mut printing = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(printing.stdout.take());
    let ended = printing.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}
