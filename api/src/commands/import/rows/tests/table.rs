//! CSV and TSV: text kept byte for byte, bad records, line numbers.

use serde_json::{Value, json};

use super::super::Row;
use super::{complaint, objects, refusal, rows};

fn contents(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["content"].as_str().expect("content is a text")).collect()
}

#[test]
fn a_cell_is_kept_byte_for_byte() {
    let text = "act,prompt,for_devs\r\n\
                \" A \",\"one\ntwo\r\n\r\nthree\n\",TRUE\r\n\
                B,\"say \"\"hi\"\", 🦀 e\u{301}\",FALSE\r\n\
                C, leading and trailing  ,FALSE\r\n\
                \"D\",\"\t\",FALSE";
    let found = objects("csv", text, &["--ignore-unknown"]);
    assert_eq!(
        contents(&found),
        ["one\ntwo\r\n\r\nthree\n", "say \"hi\", 🦀 e\u{301}", " leading and trailing  ", "\t"]
    );
    assert_eq!(found[0], json!({"category": "imported", "name": " A ", "content": "one\ntwo\r\n\r\nthree\n"}));
}

#[test]
fn rows_are_numbered_as_records_and_by_the_line_they_start_on() {
    for line_break in ["\n", "\r\n"] {
        for end in ["", "\n", "\n\n\n"] {
            let text = format!("name,content\na,\"1\n2\n3\"\n\n\nb,c\n\"d\n\",e\nf,g{end}").replace('\n', line_break);
            let found: Vec<_> =
                rows("csv", &text, &[]).iter().map(|row| (row.number, row.line.expect("CSV has lines"))).collect();
            assert_eq!(found, [(1, 2), (2, 7), (3, 8), (4, 10)], "{text:?}");
        }
    }
}

#[test]
fn lines_are_right_across_the_blocks_the_file_is_read_in() {
    let cell = "x\n".repeat(30_000);
    let found = rows("csv", format!("\u{feff}name,content\na,\"{cell}\"\nb,c\n"), &[]);
    assert_eq!(found[1].place(), "row 2 (line 30003)");
}

#[test]
fn a_ragged_record_is_a_bad_row_and_reading_goes_on() {
    let found = rows("csv", "name,content,description\na,b,c\nd,e\nf\ng,h,i,j\nk,l,m\n", &[]);
    let bad: Vec<_> = found[1..4].iter().map(complaint).collect();
    assert_eq!(
        bad,
        [
            "row 2 (line 3): has 2 cells where the header has 3",
            "row 3 (line 4): has 1 cell where the header has 3",
            "row 4 (line 5): has 4 cells where the header has 3"
        ]
    );
    assert!(found[0].object.is_ok() && found[4].object.is_ok());
}

#[test]
fn a_record_that_is_not_utf_8_is_a_bad_row_and_reading_goes_on() {
    let found = rows("csv", b"name,content\na,caf\xe9\nb,c\n", &[]);
    assert_eq!(complaint(&found[0]), "row 1 (line 2): is not UTF-8 text in `content`");
    assert!(found[1].object.is_ok());
}

#[test]
fn a_quote_that_is_never_closed_does_not_pass_for_a_long_cell() {
    let found = rows("csv", "name,content\na,b\nc,\"d\ne,f\ng,h\n", &[]);
    assert_eq!(found.len(), 2);
    assert_eq!(
        complaint(&found[1]),
        "row 2 (line 3): has a quote that is never closed, and so takes in the rest of the file"
    );
    assert_eq!(
        refusal("csv", "name,\"content\na,b\n", &[]),
        "cannot read `FILE`: its first line, which names the columns, has a quote that is never closed"
    );
}

#[test]
fn a_byte_order_mark_and_spaces_around_a_columns_name_do_not_count() {
    assert_eq!(contents(&objects("csv", "\u{feff}\"name\", content \na,b\n", &["--content", "content"])), ["b"]);
}

#[test]
fn a_file_of_a_header_only_has_no_rows() {
    assert_eq!(rows("csv", "name,content", &[]).len(), 0);
    assert_eq!(rows("csv", "\n\nname,content\r\n\r\n", &[]).len(), 0);
}

#[test]
fn a_file_without_a_header_is_refused() {
    let expected = "cannot read `FILE`: it is empty; its first line has to name the columns";
    for text in ["", "\n\n", "\u{feff}"] {
        assert_eq!(refusal("csv", text, &[]), expected);
    }
    assert_eq!(refusal("csv", b"\xff\xfen\0a\0m\0e\0", &[]), "cannot read `FILE`: it is not UTF-8 text");
}

#[test]
fn a_column_that_is_not_there_is_refused_with_those_that_are() {
    assert_eq!(
        refusal("csv", "act,prompt\n", &["--tags", "labels"]),
        "cannot read `FILE`: it has no column `labels`; it has `act`, `prompt`"
    );
    assert_eq!(
        refusal("csv", "act|prompt\n", &[]),
        "cannot read `FILE`: it has no column for the name: none of `name`, `act`, `title`, but `act|prompt`; pass --name, or \
         --delimiter if these are several columns in one"
    );
    assert_eq!(contents(&objects("csv", "act|prompt\na|b, c\n", &["--delimiter", "|"])), ["b, c"]);
    assert_eq!(refusal("csv", "act,x,x\n", &["--content", "x"]), "cannot read `FILE`: it has more than one column `x`");
    assert_eq!(refusal("csv", "Name,name,content\n", &[]), "cannot read `FILE`: it has more than one column `Name`");
}

#[test]
fn a_column_that_no_prompt_has_is_refused_or_left_behind() {
    let text = "Category,name,content,Tags,descripton,contributor\nmycat,cc1,hello,x,y,\n";
    assert_eq!(
        refusal("csv", text, &[]),
        "cannot read `FILE`: it has columns that no prompt has: `descripton`, `contributor`; `descripton` is perhaps \
         `description`; correct them, name them with a flag (--content …), or leave them behind with --ignore-unknown"
    );
    let found = rows("csv", text, &["--ignore-unknown"]);
    assert_eq!(found[0].left, ["`descripton`"], "where nothing stands, nothing is left behind");
    let expected = json!({"category": "mycat", "name": "cc1", "content": "hello", "tags": ["x"]});
    assert_eq!(found[0].object.as_ref().ok(), expected.as_object());
}

#[test]
fn names_of_columns_match_whatever_their_case_and_what_separates_them_is_found() {
    let expected = json!({"category": "imported", "name": "a", "content": "b; c\td, e"});
    for text in [
        "Act, PROMPT \na,\"b; c\td, e\"\n",
        "\u{feff}act;prompt\r\na;\"b; c\td, e\"\r\n",
        "Act\tPrompt\na\t\"b; c\td, e\"\n",
        "sep=;\r\nact;prompt\r\na;\"b; c\td, e\"\r\n",
        "\"SEP=|\"\nact|prompt\na|\"b; c\td, e\"\n",
        "sep=,\nact,prompt\na,\"b; c\td, e\"\n",
    ] {
        assert_eq!(objects("csv", text, &[]), std::slice::from_ref(&expected), "{text:?}");
    }
    let place = |text: &str| rows("csv", text, &[])[0].place();
    assert_eq!(place("sep=;\nname;content\na;b\n"), "row 1 (line 3)");
    for wrong in ["", "ab", "x", "\"", "é"] {
        assert!(super::super::delimiter::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(super::super::delimiter::parse("tab"), Ok(b'\t'));
}

#[test]
fn every_field_of_a_prompt_can_be_a_column() {
    let text = "name,content,type,template_format,is_template,variables,input_schema,config,change_summary\n\
                a,Hi {y},TEXT,fstring,TRUE,\"y; z\",\"{\"\"y\"\": {\"\"type\"\": \"\"string\"\"}}\",\"{\"\"temperature\"\": 0.5}\",first\n\
                b,c,,,,,,,\n";
    assert_eq!(
        objects("csv", text, &[]),
        [
            json!({"category": "imported", "name": "a", "content": "Hi {y}", "type": "text", "template_format": "fstring",
                   "is_template": true, "variables": ["y", "z"], "input_schema": {"y": {"type": "string"}},
                   "config": {"temperature": 0.5}, "change_summary": "first"}),
            json!({"category": "imported", "name": "b", "content": "c"}),
        ]
    );
    let chat = "name,messages\na,\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"hi\"\"}]\"\n";
    assert_eq!(objects("csv", chat, &[])[0]["messages"], json!([{"role": "user", "content": "hi"}]));

    let found = rows("csv", "name,content,config,is_template\na,b,{bad,\nc,d,\"[1]\",\ne,f,,maybe\n", &[]);
    let said: Vec<_> = found.iter().map(complaint).collect();
    assert!(said[0].starts_with("row 1 (line 2): has `{bad` in `config`, which is no JSON: "), "{}", said[0]);
    assert_eq!(said[1], "row 2 (line 3): has a list in `config`, where an object belongs");
    assert_eq!(said[2], "row 3 (line 4): has `maybe` in `is_template`, where `true` or `false` belongs");
}

#[test]
fn rows_of_nothing_but_separators_are_none() {
    let found = rows("csv", "name,content,,\na,b,,\n,,,\n , ,,\nc,d,,\n,,,\n,,,\n", &[]);
    assert_eq!(found.iter().map(Row::place).collect::<Vec<_>>(), ["row 1 (line 2)", "row 2 (line 5)"]);
    let found = rows("csv", "name,content,\na,b,c\n", &[]);
    assert_eq!(complaint(&found[0]), "row 1 (line 2): has something in column 3, which has no name");
}

#[test]
fn a_row_that_breaks_the_quoting_rules_is_named_and_the_others_are_read() {
    let text = "name,content\na,\"b\" c\nd, \"e, f\"\ng,\"h \"\"i\"\"\"\nj,5\" disk\n";
    let found = rows("csv", text, &[]);
    assert_eq!(
        found[..2].iter().map(complaint).collect::<Vec<_>>(),
        [
            "row 1 (line 2): has text after a closing quote in `content`; a quote within a cell is written twice",
            "row 2 (line 3): has blanks before an opening quote in `content`; a quoted cell begins with its quote",
        ]
    );
    let kept: Vec<_> = found[2..]
        .iter()
        .map(|row| row.object.as_ref().expect("it is right")["content"].as_str().expect("it is right"))
        .collect();
    assert_eq!(kept, ["h \"i\"", "5\" disk"]);
    assert!(refusal("csv", "\"name\"x,content\na,b\n", &[]).ends_with("has text after a closing quote in `name`"));
}

#[test]
fn an_empty_cell_is_no_description_and_no_tags_but_an_empty_content() {
    assert_eq!(
        objects("csv", "name,content,description,tags\na,,,\n", &[]),
        [json!({"category": "imported", "name": "a", "content": ""})]
    );
}

#[test]
fn tabs_separate_the_cells_of_a_tsv() {
    assert_eq!(contents(&objects("tsv", "name\tcontent\na\t\"b, c\td\"\n", &[])), ["b, c\td"]);
}
