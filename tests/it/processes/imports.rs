//! An import says what it does not take, and its dry run says exactly what it will do.
use serde_json::json;
use support::Processes;

use super::count;

const CONFLICTS: [&str; 3] = ["fail", "skip", "update"];

fn write(store: &Processes, name: &str, text: &str) -> String {
    let path = store.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Files that are good, bad, and both; some of their names are taken by the examples.
fn files() -> Vec<(&'static str, String)> {
    let long = "x".repeat(300);
    let rows = json!([
        { "category": "c", "name": "a", "content": "1" },
        { "category": "c", "name": "a", "content": "1" },
        { "category": "c", "name": "a", "content": "2", "tags": ["t"] },
        { "category": "c", "name": " a ", "content": "2", "tags": ["t"] },
        { "category": "c", "name": long, "content": "1" },
        { "category": "c", "name": "chat", "messages": [{ "role": "user", "content": "Hi {{x}}" }] },
        { "category": "c", "name": "both", "content": "1", "messages": [] },
        { "category": "c", "name": "schema", "content": "{{x}}", "input_schema": { "x": { "type": "nonsense" } } },
        { "category": "c", "name": "unknown", "content": "1", "labels": { "production": 1 } },
        { "category": "c", "name": 7, "content": "1" },
        "text",
    ]);
    let lines: String = rows.as_array().unwrap().iter().map(|row| format!("{row}\n")).collect();
    let many: String = (0..250).map(|row| format!("p{},content {}\n", row % 125, row % 50)).collect();
    vec![
        ("rows.json", rows.to_string()),
        ("rows.ndjson", format!("{lines}{{\n[]\n{{\"name\":\"a\",\"name\":\"b\",\"content\":\"x\"}}\n")),
        ("lines.json", lines),
        ("many.csv", format!("name,content\n{many}")),
        ("quotes.csv", "name,content\na,\"b\" c\nb, \"c\"\nc,d\n,,\n,\nd,\"e\ne,f\n".to_owned()),
        (
            "semicolons.csv",
            "sep=;\nName;Content;Tags;Config\na;b;x, y;\"{\"\"k\"\": 1}\"\nb;c;;{bad\nb;d;;\n".to_owned(),
        ),
        ("unknown.csv", "name,content,descripton\na,b,c\n".to_owned()),
        ("tabs.tsv", "act\tprompt\ttemplate_format\na\tHi {y}\tfstring\nb\tHi\tnonsense\n".to_owned()),
        (
            "words.yaml",
            "- {name: no, content: yes, variables: [x, y]}\n- {name: on, content: 02134}\n- {name: 5, content: x}\n"
                .to_owned(),
        ),
        (
            "documents.yaml",
            "a:\n  b: c\n  d: {content: e, name: f}\n---\n- {name: b, category: a, content: c}\n---\nx: 1\n".to_owned(),
        ),
        ("categories.yaml", "a:\n  b: c\n  d: 7\ne:\n  b: {content: c, tags: [x]}\n".to_owned()),
    ]
}

/// An export of a store with relationships, labels, successors and long histories.
fn export() -> String {
    let source = Processes::embedded();
    assert_eq!(source.run("prompt-store", &["seed", "--demo"]).0, 0);
    let (code, lines, said) = source.run("prompt-store", &["export", "--include-deleted"]);
    assert_eq!(code, 0, "{said}");
    // What points to another prompt also stands before it, and twice.
    let related: String =
        lines.lines().filter(|line| line.contains("\"kind\":\"relationship\"")).take(2).collect::<Vec<_>>().join("\n");
    format!("{related}\n{lines}{related}\n")
}

/// Runs it dry, then for real: both end alike and say the same, and the first changes nothing.
async fn says_what_it_does(store: &Processes, path: &str, flags: &[&str]) {
    let rows = async || {
        let tables = ["prompts", "versions", "audit_log", "jobs", "relationships", "events"];
        let counts = tables.map(|table| format!("(SELECT count(*) FROM {table})"));
        count(store, &format!("SELECT {}", counts.join(" + "))).await
    };
    let run = |more: &[&str]| {
        let (code, printed, said) = store.run("prompt-store", &[&["import", path], flags, more].concat());
        (code, printed, said.replace("would be stored", "stored"))
    };
    let before = rows().await;
    let foretold = run(&["--dry-run"]);
    assert_eq!(rows().await, before, "{path} {flags:?}: a dry run changes nothing");
    assert_eq!(run(&[]), foretold, "{path} {flags:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_run_says_of_every_format_and_conflict() {
    let (files, export) = (files(), export());
    for on_conflict in CONFLICTS {
        let store = Processes::embedded();
        assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
        for (name, text) in &files {
            let path = write(&store, name, text);
            let flags = &["--on-conflict", on_conflict, "--ignore-unknown"];
            says_what_it_does(&store, &path, if on_conflict == "skip" { flags } else { &flags[..2] }).await;
        }
        let path = write(&store, "store.ndjson", &export);
        for _ in 0..2 {
            says_what_it_does(&store, &path, &["--on-conflict", on_conflict]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_behind_is_said_with_its_number_of_rows() {
    let store = Processes::embedded();
    let path = write(&store, "p.csv", "Act,Prompt,for_devs,contributor\na,b,TRUE,\nc,d,FALSE,me\n");
    let (code, _, said) = store.run("prompt-store", &["import", &path]);
    assert_eq!(code, 66, "{said}");
    assert!(said.contains("columns that no prompt has: `for_devs`, `contributor`"), "{said}");
    let (code, _, said) = store.run("prompt-store", &["import", &path, "--ignore-unknown"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("left behind: `contributor` of 1, `for_devs` of 2 rows"), "{said}");
    assert!(said.contains("2 prompts stored"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_one_store_is_taken_by_another_and_what_it_lacks_is_said() {
    let source = Processes::embedded();
    assert_eq!(source.run("prompt-store", &["seed"]).0, 0);
    let _api = source.start_api().await;
    let (_, page) = source.get("/api/v1/prompts?include=content&limit=3").await.unwrap();
    let target = Processes::embedded();
    let path = write(&target, "page.json", &page.to_string());
    let (code, _, said) = target.run("prompt-store", &["import", &path]);
    assert_eq!(code, 0, "{said}");
    for words in
        ["one page, 3 of 7 prompts", "left behind: ", "`labels` of 3", "`lifecycle_status` of 3", "3 prompts stored"]
    {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
}
