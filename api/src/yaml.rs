//! YAML as version 1.2 has it: `no`, `y` and `on` are words, `02134` is a text, and one file may hold several documents. Its
//! numbers are kept as they are written, or refused.
use std::{fmt, thread};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Number, Value};
use serde_saphyr::{Error, Location, Spanned, UserMessageFormatter, options};
use shared::numbers;

/// Room for a text that is nested as deeply as the parser allows: its places cost more than a worker's thread has.
const STACK: usize = 64 << 20;

/// The documents of a text, within the parser's limits for a text from who knows where. The error is the end of a sentence that
/// begins with what is read, and a colon: the text is no YAML, or holds a number that cannot be kept as it is written.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let read = || parse(text)?.into_iter().map(|node| checked(node, text)).collect();
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        let reader = reader.map_err(|error| format!("there is no room to read it now: {error}"))?;
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn parse(text: &str) -> Result<Vec<Spanned<Node>>, String> {
    let rules = options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_multiple_with_options(text, rules).map_err(|error| {
        let mut cause = &error;
        while let Error::WithSnippet { error, .. } | Error::AliasError { error, .. } = cause {
            cause = error;
        }
        match cause {
            Error::Budget { .. }
            | Error::AliasReplayCounterOverflow { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. } => {
                "as YAML it is too large, or its aliases expand too far; as NDJSON it could be of any size".to_owned()
            }
            _ => format!("it is not valid YAML: {}", cause.render_with_formatter(&UserMessageFormatter)),
        }
    })
}

/// A value whose parts know where they stand in the text.
enum Node {
    Plain(Value),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// The value of a node. Refuses a number that is not what is written.
fn checked(node: Spanned<Node>, text: &str) -> Result<Value, String> {
    match node.value {
        Node::Plain(Value::Number(number)) => {
            let written = written(node.defined, text).unwrap_or_default();
            if is_kept(written, &number) {
                return Ok(number.into());
            }
            let (line, column) = (node.defined.line(), node.defined.column());
            Err(format!("line {line}, column {column}: {}", numbers::detail(written)))
        }
        Node::Plain(value) => Ok(value),
        Node::List(items) => items.into_iter().map(|item| checked(item, text)).collect(),
        Node::Map(fields) => fields.into_iter().map(|(key, node)| Ok((key, checked(node, text)?))).collect(),
    }
}

/// What the text says at a place.
fn written(place: Location, text: &str) -> Option<&str> {
    let (begin, length) = place.span().byte_offset().zip(place.span().byte_len())?;
    let (begin, length) = (usize::try_from(begin).ok()?, usize::try_from(length).ok()?);
    Some(text.get(begin..begin.checked_add(length)?)?.trim())
}

/// Is the number what is written? In other bases there are whole numbers only.
fn is_kept(written: &str, number: &Number) -> bool {
    match written.trim_start_matches(['+', '-']).as_bytes() {
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..] => !number.is_f64(),
        _ => numbers::is_exact(written.strip_prefix('+').unwrap_or(written)),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> de::Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON knows too")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        let number =
            Number::from_f64(value).ok_or_else(|| E::custom(format_args!("`{value}` is not a finite number")))?;
        Ok(Node::Plain(number.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_and_numbers_are_what_version_1_2_says() {
        let text =
            "[y, n, no, yes, on, off, No, NO, true, false, True, 02134, 0o17, 1_000, 7, -1.5, ~, null, 2026-01-01]";
        assert_eq!(
            documents(text).expect("it is right"),
            [json!([
                "y",
                "n",
                "no",
                "yes",
                "on",
                "off",
                "No",
                "NO",
                true,
                false,
                true,
                "02134",
                15,
                "1_000",
                7,
                -1.5,
                null,
                null,
                "2026-01-01"
            ])]
        );
        let keys = documents("{no: 1, y: 2, on: 3, 02134: 4, true: 5, 7: 6}").expect("it is right");
        assert_eq!(keys, [json!({ "no": 1, "y": 2, "on": 3, "02134": 4, "true": 5, "7": 6 })]);
    }

    #[test]
    fn a_text_may_hold_several_documents_and_empty_ones_are_none() {
        assert_eq!(
            documents("a: 1\n---\n- b\n---\n...\n---\nc\n").expect("it is right"),
            [json!({ "a": 1 }), json!(["b"]), json!("c")]
        );
        assert_eq!(documents("").expect("it is right"), Vec::<Value>::new());
        assert!(documents("a: 1\n---\nb: [\n").expect_err("it is wrong").starts_with("it is not valid YAML: "));
    }

    #[test]
    fn numbers_are_kept_as_they_are_written_or_refused() {
        let kept =
            "[18446744073709551615, -9223372036854775808, +7, 0x1F, 0o17, 0.1, 1.50, 1e3, 0e0, 0E5, .5, 5., -0.25]";
        let read =
            json!([18_446_744_073_709_551_615_u64, i64::MIN, 7, 31, 15, 0.1, 1.5, 1000.0, 0.0, 0.0, 0.5, 5.0, -0.25]);
        assert_eq!(documents(kept).expect("they are kept"), [read]);
        assert_eq!(
            documents("a: &x 1.5\nb: *x\nc: \"1e999\"\n"),
            Ok(vec![json!({ "a": 1.5, "b": 1.5, "c": "1e999" })])
        );
        let merged = "a: &x {n: 1.5}\nb:\n  <<: *x\n  m: 2\n";
        assert_eq!(documents(merged), Ok(vec![json!({ "a": { "n": 1.5 }, "b": { "n": 1.5, "m": 2 } })]));
        assert_eq!(documents("é: 2.5"), Ok(vec![json!({ "é": 2.5 })]));
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "0.1000000000000000055511151231257827",
            "9007199254740993.5",
            "1e-400",
        ] {
            for text in [number.to_owned(), format!("é: [1, {{b: {number}}}]"), format!("a: &x {number}\nb: *x")] {
                let refused = documents(&text).expect_err("it is not kept");
                assert!(refused.contains(&format!("`{number}` cannot be kept")), "{text}: {refused}");
            }
        }
    }

    #[test]
    fn a_deeply_nested_text_is_read_or_refused() {
        for depth in [50, 100, 120, 128, 500, 5000, 100_000] {
            let lists = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let maps = format!("{}1{}", "{a: ".repeat(depth), "}".repeat(depth));
            let lines: String = (0..depth.min(3000)).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
            for text in [lists, maps, lines] {
                let read = documents(&text);
                // In between it depends on the parser; what counts is that there is an answer.
                assert!(read.is_ok() || depth > 50, "{depth}: {read:?}");
                assert!(read.is_err() || depth < 500, "{depth}");
            }
        }
    }
}
