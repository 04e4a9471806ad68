//! What the rows of a file are, whatever it is written in; the formats have theirs beside this.

mod lines;
mod table;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use clap::Parser;
use serde_json::{Map, Value, json};

use super::{Mapping, Row, Rows, read};

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    mapping: Mapping,
}

fn mapping(flags: &[&str]) -> Mapping {
    let words = ["import"].iter().chain(flags);
    Flags::try_parse_from(words).expect("the flags of a test are right").mapping
}

/// A file that lasts as long as its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(ending: &str, bytes: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rows-{}-{number}.{ending}", std::process::id()));
        fs::write(&path, bytes).expect("a temporary file can be written");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_file(&self.0).expect("the file is still there");
    }
}

/// All rows of a file of this ending and content; the total has to agree with them.
fn rows(ending: &str, bytes: impl AsRef<[u8]>, flags: &[&str]) -> Vec<Row> {
    let file = Scratch::new(ending, bytes);
    let Rows { total, iter, .. } = read(&file.0, &mapping(flags)).expect("the file can be read");
    let rows: Vec<_> = iter.collect();
    assert_eq!(total, Some(rows.len() as u64));
    rows
}

/// The same for a file whose rows are all good.
fn objects(ending: &str, bytes: impl AsRef<[u8]>, flags: &[&str]) -> Vec<Value> {
    rows(ending, bytes, flags).into_iter().map(|row| row.object.expect("the row is good").into()).collect()
}

/// Why the row is bad, as it is told.
fn complaint(row: &Row) -> String {
    format!("{}: {}", row.place(), row.object.as_ref().expect_err("the row is bad").why)
}

/// Why the file as a whole cannot be read, without its path, which differs from run to run.
fn refusal(ending: &str, bytes: impl AsRef<[u8]>, flags: &[&str]) -> String {
    let file = Scratch::new(ending, bytes);
    refusal_of(&file.0, flags).replace(&file.0.display().to_string(), "FILE")
}

fn refusal_of(path: &Path, flags: &[&str]) -> String {
    match read(path, &mapping(flags)) {
        Ok(_) => panic!("the file should have been refused"),
        Err(error) => format!("{error:#}"),
    }
}

fn keys(object: &Map<String, Value>) -> Vec<&str> {
    object.keys().map(String::as_str).collect()
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    assert_eq!(refusal_of(Path::new("no-such.csv"), &[]), "cannot read `no-such.csv`: No such file or directory");
    let directory = std::env::temp_dir();
    assert_eq!(refusal_of(&directory, &[]), format!("cannot read `{}`: it is a directory", directory.display()));
}

#[test]
fn an_unknown_ending_is_refused_with_those_that_are_known() {
    assert_eq!(
        refusal("txt", "name,content\n", &[]),
        "cannot read `FILE`: its ending does not say what it is (known are .csv, .tsv, .json, .ndjson, .jsonl, .yaml \
         and .yml); pass --format"
    );
}

#[test]
fn the_format_flag_is_stronger_than_the_ending() {
    let found = objects("txt", "{\"name\": \"a\", \"content\": \"b\"}\n", &["--format", "ndjson"]);
    assert_eq!(found, [json!({"category": "imported", "name": "a", "content": "b"})]);
    assert_eq!(objects("CSV", "name,content\na,b\n", &[]), found);
    assert_eq!(objects("json", "name\tcontent\na\tb\n", &["--format", "tsv"]), found);
}

#[test]
fn a_mapped_key_is_renamed_and_unknown_ones_are_left_behind_only_where_that_is_said() {
    let text = r#"[{"act": "a", "prompt": "b", "author": "c", "type": "text", "config": {"temperature": 0}}]"#;
    let found = rows("json", text, &["--ignore-unknown"]);
    let config = json!({"temperature": 0});
    let expected = json!({"category": "imported", "name": "a", "content": "b", "type": "text", "config": config});
    assert_eq!(found[0].object.as_ref().map(|object| Value::from(object.clone())).ok(), Some(expected));
    assert_eq!(found[0].left, ["`author`"]);

    let found = rows("json", text, &[]);
    assert_eq!(
        complaint(&found[0]),
        "row 1: has a key that no prompt has: `author`; correct it, name it with a flag (--content …), or leave it behind with \
         --ignore-unknown"
    );
    assert_eq!(found[0].object.as_ref().map_err(|why| why.code).err(), Some("unknown-field"));
}

#[test]
fn every_key_of_an_answer_is_known() {
    let contract: Value = serde_json::from_str(&crate::openapi::document()).unwrap();
    let schemas = &contract["components"]["schemas"];
    let (body, own) = (&schemas["Body"], &schemas["Prompt"]["allOf"][1]);
    let keys = [body, own].into_iter().flat_map(|schema| schema["properties"].as_object().unwrap().keys());
    let known = |key: &str| super::FIELDS.contains(&key) || super::body::ANSWERED.contains(&key);
    assert_eq!(keys.filter(|key| !known(key)).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn what_is_written_almost_like_a_field_is_said_to_be_one() {
    let written = [
        ("descripton", "description"),
        ("Tags", "tags"),
        ("input-schema", "input_schema"),
        ("templateFormat", "template_format"),
    ];
    for (slip, field) in written {
        let said = complaint(&rows("json", json!([{"name": "a", "content": "b", slip: "x"}]).to_string(), &[])[0]);
        assert!(said.contains(&format!("`{slip}` is perhaps `{field}`; ")), "{said}");
    }
    for other in ["author", "labels", "id", "commitMessage"] {
        assert_eq!(super::nearest(other), None, "{other}");
    }
}

#[test]
fn a_column_asked_for_by_name_wins_over_the_usual_one() {
    let text = r#"[{"name": "a", "label": "b", "content": "c", "body": "d", "group": "e", "type": "f", "about": "g"}]"#;
    let flags = "--name label --content body --category group --tags type --description about --ignore-unknown";
    let found = objects("json", text, &flags.split(' ').collect::<Vec<_>>());
    assert_eq!(found, [json!({"category": "e", "name": "b", "content": "d", "description": "g", "tags": ["f"]})]);
}

#[test]
fn one_column_may_become_two_fields() {
    let found = objects("json", r#"[{"title": "a", "text": "b"}]"#, &["--description", "title"]);
    assert_eq!(found, [json!({"category": "imported", "name": "a", "content": "b", "description": "a"})]);
}

#[test]
fn a_prompt_of_messages_needs_no_content_and_keeps_its_text_out_of_it() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let text = json!([{"name": "a", "messages": messages, "text": "a note"}]).to_string();
    let flags = ["--ignore-unknown"];
    assert_eq!(objects("json", text, &flags), [json!({"category": "imported", "name": "a", "messages": messages})]);
}

#[test]
fn a_null_is_as_good_as_nothing() {
    let text = r#"[{"name": null, "act": "a", "content": "b", "category": null, "tags": null, "config": null}]"#;
    assert_eq!(objects("json", text, &[]), [json!({"category": "imported", "name": "a", "content": "b"})]);
}

#[test]
fn the_default_category_stands_in_for_none_and_for_an_empty_one() {
    let text = "name,content,category\na,b,\nc,d,  \ne,f,mine\n";
    let found = objects("csv", text, &["--default-category", "other"]);
    let categories: Vec<_> = found.iter().map(|object| &object["category"]).collect();
    assert_eq!(categories, ["other", "other", "mine"]);
}

#[test]
fn tags_come_from_a_cell_a_list_and_the_flag_each_once() {
    let text = "name,content,tags\na,b,x; y ;x\na,b,\"x, y;;z\"\na,b,\"[\"\"x;1\"\", \"\"y\"\"]\"\na,b,\n";
    let found = objects("csv", text, &["--tag", "new", "--tag", "x"]);
    let tags: Vec<_> = found.iter().map(|object| object["tags"].clone()).collect();
    assert_eq!(
        tags,
        [json!(["x", "y", "new"]), json!(["x", "y", "z", "new"]), json!(["x;1", "y", "new", "x"]), json!(["new", "x"])]
    );
    let found = objects("json", r#"[{"name": "a", "content": "b", "tags": ["x"]}]"#, &["--tag", "x", "--tag", "y"]);
    assert_eq!(found[0]["tags"], json!(["x", "y"]));
}

#[test]
fn a_cell_that_begins_as_an_array_of_tags_has_to_be_one() {
    let found = rows("csv", "name,content,tags\na,b,[x\n", &[]);
    assert_eq!(complaint(&found[0]), "row 1 (line 2): has tags that begin with `[` but are not a JSON array of texts");
}

#[test]
fn the_fields_of_a_row_are_in_the_order_of_the_api() {
    let text = r#"[{"tags": ["x"], "content": "b", "name": "a", "category": "c"}]"#;
    let found = rows("json", text, &[]);
    assert_eq!(keys(found[0].object.as_ref().expect("the row is good")), ["category", "name", "content", "tags"]);
}

#[test]
fn a_name_out_of_the_file_cannot_steer_the_terminal() {
    let found = refusal("csv", format!("a\u{1b}[2Jb,{}\n", "long".repeat(30)), &[]);
    assert!(!found.contains('\u{1b}'), "{found:?}");
    assert!(found.contains(&format!("`{}…`", "long".repeat(15))), "{found}");
}
