//! JSON and YAML: the shapes of a document, and documents that are refused.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::whole;
use super::{Scratch, complaint, objects, refusal, rows};

#[test]
fn a_list_is_found_on_its_own_and_under_either_key() {
    let list = json!([{"name": "a", "content": "b"}, {"title": "c", "template": "d"}]);
    let expected = [
        json!({"category": "imported", "name": "a", "content": "b"}),
        json!({"category": "imported", "name": "c", "content": "d"}),
    ];
    for document in [list.clone(), json!({"prompts": list}), json!({"items": list})] {
        assert_eq!(objects("json", format!("\u{feff}{document}"), &[]), expected);
        assert_eq!(objects("yaml", document.to_string(), &[]), expected);
    }
    assert_eq!(rows("json", "[]", &[]).len(), 0);
    let beside = json!({"prompts": list, "version": 1}).to_string();
    assert_eq!(
        refusal("json", &beside, &[]),
        "cannot read `FILE`: it has `version` beside its `prompts`, which belongs to no prompt; take that away, or leave it \
         behind with --ignore-unknown"
    );
    assert_eq!(objects("json", &beside, &["--ignore-unknown"]), expected);
    assert_eq!(
        refusal("json", json!({"prompts": list, "items": list}).to_string(), &[]),
        "cannot read `FILE`: it has both a `prompts` and an `items` list; one of them has to go"
    );
}

#[test]
fn a_document_may_be_one_prompt() {
    let text = "act: a\nprompt: |\n  one\n\n  two 🦀\nvariables:\n  - x\n";
    let expected = json!({"category": "imported", "name": "a", "content": "one\n\ntwo 🦀\n", "variables": ["x"]});
    assert_eq!(objects("yml", text, &[]), [expected]);
}

#[test]
fn a_document_may_be_categories_of_names() {
    let text = "writing:\n  haiku: Write a haiku.\n  letter:\n    content: Dear {{ who }}\n    description: A letter\n    \
                name: letter\ncontent:\n  name: Categories may be called anything.\n";
    let found = objects("yaml", text, &["--tag", "t"]);
    assert_eq!(
        found,
        [
            json!({"category": "writing", "name": "haiku", "content": "Write a haiku.", "tags": ["t"]}),
            json!({"category": "writing", "name": "letter", "content": "Dear {{ who }}", "description": "A letter",
                   "tags": ["t"]}),
            json!({"category": "content", "name": "name", "content": "Categories may be called anything.",
                   "tags": ["t"]}),
        ]
    );
}

#[test]
fn a_row_that_is_not_a_prompt_is_bad_and_the_others_are_not() {
    let found = rows("json", r#"[1, {"name": "a", "content": "b"}, {"content": "b"}]"#, &[]);
    assert_eq!(complaint(&found[0]), "row 1: is a number, not an object");
    assert!(found[1].object.is_ok());
    assert_eq!(complaint(&found[2]), "row 3: has no name: none of `name`, `act`, `title`");

    let found = rows("yaml", "writing:\n  a: b\n  c: [d]\n  e:\n    description: f\n", &[]);
    assert!(found[0].object.is_ok());
    assert_eq!(complaint(&found[1]), "row 2: `writing` / `c` is a list, neither a text nor an object");
    assert_eq!(
        complaint(&found[2]),
        "row 3: `writing` / `e` has no content: none of `content`, `prompt`, `text`, `template`"
    );
}

#[test]
fn a_place_in_the_file_decides_what_a_prompt_is_called() {
    let found = rows("yaml", "writing:\n  letter:\n    content: x\n    name: other\n  number: 42\n  no: yes\n", &[]);
    assert_eq!(complaint(&found[0]), "row 1: `writing` / `letter` has another `name` inside; take one of them away");
    let said = complaint(&found[1]);
    assert_eq!(said, "row 2: `writing` / `number` has `42` in `content`, where a text belongs; in quotes it is one");
    let object = found[2].object.as_ref().expect("it is right");
    assert_eq!((&object["name"], &object["content"]), (&json!("no"), &json!("yes")), "words, by YAML 1.2");
}

#[test]
fn a_field_that_holds_something_else_is_named_with_what_stands_in_the_file() {
    let text = "- {name: P, content: \"({{x}}, {{y}})\", variables: [x, y], tags: [no, 02134]}\n\
                - {name: true, content: a}\n- {name: a, content: [b]}\n- {name: a, content: b, variables: [x, 7]}\n\
                - {name: a, content: b, config: off}\n- {name: a, content: b, messages: {}}\n- {name: a, content: b, tags: 1}\n\
                - {name: a, content: b, is_template: on}\n";
    let found = rows("yaml", text, &[]);
    let first = found[0].object.as_ref().expect("it is right");
    assert_eq!((&first["variables"], &first["tags"]), (&json!(["x", "y"]), &json!(["no", "02134"])));
    assert_eq!(
        found[1..].iter().map(complaint).collect::<Vec<_>>(),
        [
            "row 2: has `true` in `name`, where a text belongs; in quotes it is one",
            "row 3: has a list in `content`, where a text belongs",
            "row 4: has `7` in `variables`, where texts belong; in quotes it is one",
            "row 5: has `\"off\"` in `config`, where an object belongs",
            "row 6: has an object in `messages`, where a list of messages belongs",
            "row 7: has `1` in `tags`, where a list of texts belongs",
            "row 8: has `\"on\"` in `is_template`, where `true` or `false` belongs",
        ]
    );
}

#[test]
fn a_file_may_hold_several_documents() {
    let text = "name: a\ncontent: b\n---\n- {name: c, content: d}\n---\nfolder:\n  e: f\n";
    let found: Vec<_> =
        objects("yaml", text, &[]).iter().map(|it| (it["name"].clone(), it["content"].clone())).collect();
    assert_eq!(found, [(json!("a"), json!("b")), (json!("c"), json!("d")), (json!("e"), json!("f"))]);
}

#[test]
fn the_answer_of_a_store_is_taken_and_what_it_leaves_behind_is_said() {
    let prompt = json!({
        "id": "prm_01J9Z3N5T8QWERTYASDFGHZXCV", "category": "c", "name": "n", "description": null, "type": "text",
        "content": "x", "template_format": "mustache", "variables": [], "input_schema": {}, "config": {}, "is_template": false,
        "tags": ["t"], "version": 3, "revision": 4, "labels": {"production": 2}, "lifecycle_status": "published",
        "parent_id": null, "parent_version": null, "created_by": "a", "created_at": "x", "updated_at": "x"
    });
    let page = json!({ "items": [prompt], "total": 7, "limit": 1, "offset": 0, "has_more": true, "next_cursor": "x" });
    let file = Scratch::new("json", page.to_string());
    let found = super::super::read(&file.0, &super::mapping(&[])).expect("it is right");
    assert_eq!(found.notes, ["this is one page, 1 of 7 prompts; `prompt-store export` writes all of them"]);
    let rows: Vec<_> = found.iter.collect();
    let object = rows[0].object.as_ref().expect("it is right");
    assert_eq!((&object["name"], &object["tags"], object.get("labels")), (&json!("n"), &json!(["t"]), None));
    for key in ["`labels`", "`lifecycle_status`", "`version`", "`created_at`"] {
        assert!(rows[0].left.iter().any(|left| left == key), "{key}: {:?}", rows[0].left);
    }
    assert_eq!(rows[0].left.len(), 8);
}

#[test]
fn lines_of_json_are_known_by_whatever_name() {
    let text = "{\"name\": \"a\", \"content\": \"b\"}\n\n{\"name\": \"c\", \"content\": \"d\"}\n";
    let found = rows("json", text, &[]);
    assert_eq!(found.iter().map(super::super::Row::place).collect::<Vec<_>>(), ["line 1", "line 3"]);
    assert!(
        refusal("json", text, &["--format", "json"]).contains("it is not valid JSON: trailing characters at line 3")
    );
}

#[test]
fn a_document_of_another_shape_is_refused_with_those_that_will_do() {
    for (ending, text, is) in [
        ("json", "7", "it is a number"),
        ("yaml", "", "it is empty"),
        ("json", "{}", "it is an empty object"),
        ("json", r#"{"writing": {"a": "b"}, "version": 1}"#, "its `version` is a number"),
        ("json", r#"{"content": "a prompt without its name"}"#, "its `content` is a text"),
    ] {
        let expected = format!("cannot read `FILE`: {is}; it has to hold a list of prompts (on its own,");
        let found = refusal(ending, text, &[]);
        assert!(found.starts_with(&expected), "{found}");
    }
}

#[test]
fn a_syntax_error_is_one_sentence_with_its_line() {
    assert_eq!(
        refusal("json", "[{\"name\": \"a\"},\n]", &[]),
        "cannot read `FILE`: it is not valid JSON: trailing comma at line 2 column 1"
    );
    assert_eq!(
        refusal("yaml", "a:\n  b: c\n d: e\n", &[]),
        "cannot read `FILE`: it is not valid YAML: while parsing a block mapping, did not find expected key at line \
         3, column 2"
    );
    assert_eq!(refusal("json", b"\"\xff\"", &[]), "cannot read `FILE`: it is not UTF-8 text");
}

#[test]
fn a_key_that_is_there_twice_is_refused_because_a_prompt_would_be_lost() {
    assert_eq!(
        refusal("json", "{\"writing\": {\"a\": \"b\",\n\"a\": \"c\"}}", &[]),
        "cannot read `FILE`: it is not valid JSON: the key `a` is there twice at line 2 column 3"
    );
    assert_eq!(
        refusal("yaml", "writing:\n  a: b\n  a: c\n", &[]),
        "cannot read `FILE`: it is not valid YAML: duplicate mapping key `a` is not allowed here at line 3, column 3"
    );
}

#[test]
fn a_column_that_is_in_no_row_is_refused() {
    let list = r#"[{"act": "a", "prompt": "b"}, {"act": "c", "body": "d"}]"#;
    assert_eq!(
        refusal("json", list, &["--category", "group"]),
        "cannot read `FILE`: none of its rows has `group`; the first has `act`, `prompt`"
    );
    let found = rows("json", list, &["--content", "body"]);
    assert_eq!(complaint(&found[0]), "row 1: has no `body`, which is to be its content");
    assert!(found[1].object.is_ok());
}

#[test]
fn a_bomb_of_aliases_is_refused_quickly() {
    let level = |level: u32| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "));
    let text = ["a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned()].into_iter().chain((1..12).map(level));
    let text: String = text.collect();
    let start = Instant::now();
    assert_eq!(
        refusal("yaml", text, &[]),
        "cannot read `FILE`: as YAML it is too large, or its aliases expand too far; as NDJSON it could be of any size"
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_document_that_nests_without_end_is_refused() {
    assert!(refusal("json", "[".repeat(100_000), &[]).contains("it is not valid JSON: recursion limit exceeded"));
    assert!(refusal("yaml", "[".repeat(100_000), &[]).starts_with("cannot read `FILE`: "));
}

#[test]
fn a_file_too_large_to_read_whole_is_refused() {
    let file = Scratch::new("json", " ".repeat(1024 * 1024 + 1));
    let error = whole::text(&file.0, 1024 * 1024).expect_err("the file is too large").to_string();
    assert!(error.ends_with(": it is larger than 1 MiB; CSV and NDJSON may be of any size"), "{error}");
    assert!(whole::text(&file.0, 1024 * 1024 + 1).is_ok());
}
