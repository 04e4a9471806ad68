//! The real binaries, started, killed and started again.
mod audit;
mod backup;
mod bulk;
mod chaos;
mod commands;
mod damaged;
mod doctor;
mod dripping;
mod durability;
mod full_disk;
mod hosts;
mod imports;
mod locked;
mod migrations;
mod moved_file;
mod outputs;
mod promises;
mod refinement;
mod repeats;
mod secrets;
mod settings;
pub(crate) mod start;
mod store_secret;
mod traces;
mod usage;

use std::collections::HashMap;

use serde_json::{Value, json};
use shared::db::{AssertSqlSafe, Db};
use support::{Processes, until};

const BULK: &str = "/api/v1/bulk/prompts";

/// What people keep as prompts: long and short, in many scripts, quoted, indented, with braces of all kinds.
/// Each is different, and so is what it ends with.
fn content(number: usize) -> String {
    let kinds = [
        "I want you to act as a \"Linux terminal\".\nReply with 'the output' only, inside one code block.\n\nMy first \
         command is `pwd`.",
        "请扮演一名资深的翻译。\n把下面的文字译成中文:\n\n\t{{text}}\n",
        "あなたは編集者です。「引用」を残してください。🙂👩‍👩‍👧\r\nWindows の改行もそのまま。\r\n",
        "# Role\n\n* list\n  * nested\n\n| a | b |\n|---|---|\n| \\| | {\"json\": [1, 2.50, null]} |\n\n```rust\nfn main() \
         {}\n```\n",
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich — e\u{301}té, \u{fffd}, \u{a0}nbsp",
        "{{code here}} and {% if x %}y{% endif %} and ${shell} and %s and \\u0041 and \\n",
    ];
    let ends = ["", " ", "\n", "\n\n", "\t", "…", "👍🏽"];
    let repeated = "A sentence that is said again. ".repeat(number % 40);
    format!("{}\n{repeated}№ {number}{}", kinds[number % kinds.len()], ends[number % ends.len()])
}

/// So many rows, of which the last `repeats` have the names of the first.
pub(crate) fn rows(prefix: &str, total: usize, repeats: usize) -> Vec<(String, String)> {
    let name = |number: usize| format!("{prefix} „{}“ 提示 {}", number % (total - repeats), number % (total - repeats));
    (0..total).map(|number| (name(number), content(number))).collect()
}

fn body(rows: &[(String, String)]) -> Value {
    rows.iter().map(|(name, content)| json!({ "category": "store", "name": name, "content": content })).collect()
}

/// Orders an operation. Whoever's turn does not come in time is told to come back, and does.
async fn taken(store: &Processes, items: &Value) -> Value {
    let taken = async || store.post(BULK, items).await.filter(|(status, _)| *status != 503);
    let (status, operation) = until("it is taken", taken).await;
    assert_eq!(status, 202, "{operation}");
    operation
}

/// Orders an operation, and answers where it can be looked at.
pub(crate) async fn order(store: &Processes, rows: &[(String, String)]) -> String {
    let operation = taken(store, &body(rows)).await;
    format!("/api/v1/bulk/operations/{}", operation["id"].as_str().unwrap())
}

/// Waits for the end of an operation, and answers how it stands then.
pub(crate) async fn finished(store: &Processes, path: &str) -> Value {
    until("the operation is over", async || {
        let (_, operation) = store.get(path).await.filter(|(status, _)| *status == 200)?;
        operation["finished_at"].is_string().then_some(operation)
    })
    .await
}

/// A number the database knows.
pub(crate) async fn count(store: &Processes, sql: &str) -> i64 {
    let (settings, _) = support::settings(&["--db", &store.location()]);
    let db = Db::open(&settings).await.unwrap();
    let (count,) = db.read().await.unwrap().fetch_one::<(i64,)>(AssertSqlSafe(sql), &[]).await.unwrap();
    db.close().await;
    count
}

/// Every prompt of the store, by its name.
async fn contents(store: &Processes) -> HashMap<String, String> {
    let (mut contents, mut cursor) = (HashMap::new(), String::new());
    for _ in 0..100 {
        let (_, page) = store.get(&format!("/api/v1/prompts?limit=500&include=content{cursor}")).await.unwrap();
        for prompt in page["items"].as_array().unwrap() {
            let text = |key: &str| prompt[key].as_str().unwrap().to_owned();
            assert_eq!(contents.insert(text("name"), text("content")), None, "{prompt}");
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    contents
}

/// Nothing was lost and nothing done twice: the store holds these rows byte for byte, and every table agrees.
async fn holds_exactly(store: &Processes, rows: &[(String, String)]) {
    let expected: HashMap<_, _> = rows.iter().rev().cloned().collect();
    let found = contents(store).await;
    assert_eq!(found.len(), expected.len());
    for (name, content) in &expected {
        assert_eq!(found.get(name), Some(content), "{name}");
    }
    let made = i64::try_from(expected.len()).unwrap();
    for sql in [
        "SELECT count(*) FROM prompts",
        "SELECT count(*) FROM versions",
        "SELECT count(*) FROM audit_log WHERE action = 'prompt.created'",
        "SELECT count(*) FROM bulk_items WHERE state = 'succeeded'",
        "SELECT CAST(sum(successful_items) AS BIGINT) FROM bulk_operations",
    ] {
        assert_eq!(count(store, sql).await, made, "{sql}");
    }
    for sql in [
        "SELECT count(*) FROM bulk_items WHERE state = 'pending'",
        "SELECT count(*) FROM jobs WHERE state <> 'done'",
        "SELECT count(*) FROM bulk_operations o
         WHERE (successful_items, failed_items, total_items) <>
               (SELECT count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'failed'), count(*)
                FROM bulk_items i WHERE i.operation_id = o.id)",
    ] {
        assert_eq!(count(store, sql).await, 0, "{sql}");
    }
}
