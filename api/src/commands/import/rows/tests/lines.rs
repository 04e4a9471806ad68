//! NDJSON: every line by itself.

use serde_json::json;

use super::{Row, complaint, objects, rows};

#[test]
fn every_line_is_a_row_and_blank_ones_are_not() {
    let text = "\u{feff}{\"name\": \"a\", \"content\": \"b\"}\r\n\n  \t\n{\"act\": \"c\", \"prompt\": \"d\\n🦀 \"}";
    let found = rows("jsonl", text, &[]);
    assert_eq!(found.iter().map(Row::place).collect::<Vec<_>>(), ["line 1", "line 4"]);
    assert_eq!(
        objects("ndjson", text, &[]),
        [
            json!({"category": "imported", "name": "a", "content": "b"}),
            json!({"category": "imported", "name": "c", "content": "d\n🦀 "})
        ]
    );
}

#[test]
fn a_bad_line_is_a_bad_row_and_reading_goes_on() {
    let mut text = b"{\"name\": \n[1]\n{\"content\": \"b\"}\n{\"name\": \"a\"}\n\"\xff\"\n".to_vec();
    text.extend(b"{\"name\": \"a\", \"name\": \"b\", \"content\": \"c\"}\n{\"name\": \"a\", \"content\": \"b\"}\n");
    let found = rows("ndjson", text, &[]);
    assert_eq!(
        found[..6].iter().map(complaint).collect::<Vec<_>>(),
        [
            "line 1: is not a JSON object that can be read: EOF while parsing a value at column 8",
            "line 2: is a list, not an object",
            "line 3: has no name: none of `name`, `act`, `title`",
            "line 4: has no content: none of `content`, `prompt`, `text`, `template`",
            "line 5: is not UTF-8 text",
            "line 6: is not a JSON object that can be read: the key `name` is there twice at column 20",
        ]
    );
    assert!(found[6].object.is_ok());
}

#[test]
fn a_line_without_the_column_asked_for_is_a_bad_row() {
    let found = rows("ndjson", "{\"name\": \"a\", \"content\": \"b\"}\n", &["--content", "body"]);
    assert_eq!(complaint(&found[0]), "line 1: has no `body`, which is to be its content");
}

#[test]
fn a_line_may_be_a_mebibyte_long_and_no_longer() {
    let line = |length: usize| {
        let frame = r#"{"name":"a","content":""}"#.len();
        format!("{{\"name\":\"a\",\"content\":\"{}\"}}", "x".repeat(length - frame))
    };
    let (fits, exceeds) = (line(1024 * 1024), line(1024 * 1024 + 1));
    let found = rows("ndjson", [&fits, &exceeds, &fits, &exceeds.repeat(3), &fits].map(String::as_str).join("\n"), &[]);
    assert_eq!(found.iter().map(|row| row.object.is_ok()).collect::<Vec<_>>(), [true, false, true, false, true]);
    assert_eq!(complaint(&found[3]), "line 4: is longer than 1 MiB");
    assert_eq!(rows("ndjson", format!("{exceeds}\n"), &[]).len(), 1);
}

#[test]
fn an_empty_file_has_no_rows() {
    assert_eq!(rows("ndjson", "", &[]).len(), 0);
    assert_eq!(rows("ndjson", "\n\n", &[]).len(), 0);
}
