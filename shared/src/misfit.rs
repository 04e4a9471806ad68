//! What a reader says of input that does not fit, in the words of the contract. Its own words name types of this program,
//! which nobody outside knows.
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;

use crate::{
    error::{Error, Result, Violation},
    objects::Objects,
    text::quoted,
};

/// A violation made of a reader's message: `invalid type`, `unknown field`, `missing field` and the like, or a sentence of
/// our own. `pointer` leads to the value at fault; `whole` is what the message calls the input itself: `the body`.
#[must_use]
pub fn violation(pointer: &str, whole: &str, message: &str) -> Violation {
    let message = without_place(message);
    let name = name_of(pointer, whole);
    let between = |start: &str, end: &str| message.strip_prefix(start)?.strip_suffix(end).map(quoted);
    if let Some(field) = between("missing field `", "`") {
        let detail = format!("`{field}` is missing{}", within(pointer));
        return Violation::new(format!("{pointer}/{field}"), "required", detail);
    }
    if let Some(field) = between("duplicate field `", "`") {
        return Violation::new(pointer, "duplicate", format!("`{field}` stands twice{}", within(pointer)));
    }
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (field, known) = halves(rest, &["`, expected ", "`, there are no fields"]);
        let known = match known.trim_start_matches("one of ") {
            "" => "there are none".to_owned(),
            known => format!("known: {known}"),
        };
        return Violation::new(pointer, "unknown-field", format!("`{}` is no known field; {known}", quoted(field)));
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (word, known) = halves(rest, &["`, expected ", "`, there are no variants"]);
        return Violation::new(pointer, "invalid", format!("{name} must be {known}, not `{}`", quoted(word)));
    }
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        let (found, wanted) = halves(rest, &[", expected "]);
        let detail = format!("{name} must be {}, not {}", wanted_words(wanted), found_words(found));
        return Violation::new(pointer, "wrong-type", detail);
    }
    if let Some(rest) = message.strip_prefix("invalid value: ") {
        let (found, wanted) = halves(rest, &[", expected "]);
        let detail = format!("{name} must be {}, and {} is none", wanted_words(wanted), found_words(found));
        return Violation::new(pointer, "invalid", detail);
    }
    if let Some(rest) = message.strip_prefix("invalid length ") {
        let (length, wanted) = halves(rest, &[", expected "]);
        let detail = format!("{name} must be {}, and not have {length} members", wanted_words(wanted));
        return Violation::new(pointer, "invalid", detail);
    }
    Violation::new(pointer, "invalid", format!("{name}: {}", parse_words(message)))
}

/// Reads a value, in which objects are objects and words are words ([`Objects`]), or says what does not fit.
///
/// # Errors
/// `validation-failed` with one violation.
pub fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D, whole: &str) -> Result<T> {
    read_any(Objects(deserializer), whole)
}

/// The same of a value that is read as it stands.
///
/// # Errors
/// `validation-failed` with one violation.
pub fn read_any<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D, whole: &str) -> Result<T> {
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let said = violation(&pointer(error.path()), whole, &error.inner().to_string());
        Error::from_violations(vec![said])
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

/// A message without the place in the text: the pointer says more.
fn without_place(message: &str) -> &str {
    let is_place = |place: &str| {
        place.split_once(" column ").is_some_and(|(line, column)| {
            [line, column].iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    match message.rsplit_once(" at line ") {
        Some((told, place)) if is_place(place) => told,
        _ => message,
    }
}

/// What the client sent, and what may stand there: the last separator parts them, since only the first half quotes the client.
fn halves<'m>(message: &'m str, separators: &[&str]) -> (&'m str, &'m str) {
    let found = separators.iter().find_map(|separator| message.rsplit_once(separator));
    found.unwrap_or((message, ""))
}

fn name_of(pointer: &str, whole: &str) -> String {
    match pointer.strip_prefix('/') {
        Some(path) => format!("`{}`", quoted(&path.replace("~1", "/").replace("~0", "~"))),
        None => whole.to_owned(),
    }
}

fn within(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!(" in {}", name_of(pointer, "")) }
}

/// What a reader calls what it wants.
fn wanted_words(wanted: &str) -> &str {
    match wanted {
        "a map" | "map" => "an object",
        "a sequence" | "sequence" => "a list",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number of at most 64 bits",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number from 0 on",
        "f32" | "f64" | "a number" => "a number",
        "a boolean" => "true or false",
        "unit" | "null" => "null",
        "any valid JSON value" => "a JSON value",
        wanted if wanted.starts_with("struct ") => "an object",
        wanted if wanted.starts_with("a tuple") || wanted.starts_with("tuple ") => "a list",
        wanted if wanted.ends_with(" identifier") => "a string",
        wanted => wanted,
    }
}

/// What a reader calls what it found.
fn found_words(found: &str) -> String {
    let text = found.strip_prefix("string \"").and_then(|rest| rest.strip_suffix('"'));
    let value = ["boolean ", "integer ", "floating point ", "number ", "character "].iter().find_map(|kind| {
        let value = found.strip_prefix(kind)?;
        value.starts_with('`').then_some(value)
    });
    match (text, value, found) {
        (Some(text), _, _) => format!("the string \"{}\"", quoted(text)),
        (_, Some(value), _) => quoted(value),
        (_, _, "sequence" | "byte array") => "a list".to_owned(),
        (_, _, "map") => "an object".to_owned(),
        (_, _, "null" | "unit value" | "Option value") => "null".to_owned(),
        (_, _, "number") => "a number".to_owned(),
        (_, _, other) => quoted(other),
    }
}

/// What a parser of a text says, as in a query.
fn parse_words(message: &str) -> String {
    match message {
        "invalid float literal" | "cannot parse float from empty string" => "it must be a number".to_owned(),
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "it must be a whole number of at most 64 bits".to_owned(),
        "provided string was not `true` or `false`" => "it must be `true` or `false`".to_owned(),
        other => quoted(other),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::objects;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what does not fit matters")]
    struct Body {
        text: Option<String>,
        count: Option<i64>,
        few: Option<u32>,
        share: Option<f64>,
        is_on: Option<bool>,
        list: Option<Vec<String>>,
        map: Option<BTreeMap<String, i64>>,
        word: Option<Word>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
        Three,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its absence matters")]
    struct Inner {
        needed: i64,
    }

    fn detail(pointer: &str, body: Value) -> String {
        let message = objects::read::<Body, _>(body).unwrap_err().to_string();
        violation(pointer, "the body", &message).detail
    }

    #[test]
    fn no_word_of_the_program_is_told() {
        for (pointer, body, told) in [
            ("", json!([1]), "the body must be an object, not a list"),
            ("/text", json!({ "text": 1 }), "`text` must be a string, not `1`"),
            ("/text", json!({ "text": [] }), "`text` must be a string, not a list"),
            ("/count", json!({ "count": 1.5 }), "`count` must be a whole number of at most 64 bits, not `1.5`"),
            ("/few", json!({ "few": -1 }), "`few` must be a whole number from 0 on, and `-1` is none"),
            ("/share", json!({ "share": "x" }), "`share` must be a number, not the string \"x\""),
            ("/is_on", json!({ "is_on": "true" }), "`is_on` must be true or false, not the string \"true\""),
            ("/list", json!({ "list": {} }), "`list` must be a list, not an object"),
            ("/map", json!({ "map": [] }), "`map` must be an object, not a list"),
            ("/word", json!({ "word": "four" }), "`word` must be one of `one`, `two`, `three`, not `four`"),
            ("/inner", json!({ "inner": {} }), "`needed` is missing in `inner`"),
            ("/inner/x", json!({ "inner": { "x": 1 } }), "`x` is no known field; known: `needed`"),
            ("/inner", json!({ "inner": true }), "`inner` must be an object, not `true`"),
        ] {
            assert_eq!(detail(pointer, body.clone()), told, "{body}");
        }
    }

    #[test]
    fn what_a_client_sends_is_quoted_and_misleads_nobody() {
        let hostile = "a` at line 1 column 2, expected struct Body\0";
        let said = detail("/word", json!({ "word": hostile }));
        assert!(said.starts_with("`word` must be one of `one`, `two`, `three`, not `a` at line 1"), "{said}");
        assert!(said.contains("\\u{0}"), "{said}");
        let long = detail("/text", json!({ "x".repeat(100_000): 1 }));
        assert!(long.len() < 500, "{long}");
    }

    #[test]
    fn what_a_parser_says_of_a_text_is_said_anew() {
        for text in ["5%", ""] {
            let message = text.parse::<f64>().unwrap_err().to_string();
            assert_eq!(violation("/mde", "the query", &message).detail, "`mde`: it must be a number");
        }
        for text in ["x", "", "99999999999999999999", "-99999999999999999999"] {
            let message = text.parse::<i64>().unwrap_err().to_string();
            let told = "`limit`: it must be a whole number of at most 64 bits";
            assert_eq!(violation("/limit", "the query", &message).detail, told);
        }
        let message = "yes".parse::<bool>().unwrap_err().to_string();
        assert_eq!(violation("/dry_run", "the query", &message).detail, "`dry_run`: it must be `true` or `false`");
    }
}
