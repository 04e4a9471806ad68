//! JSON as Python prints it: `str()`, `repr()` and `ascii()` of text, numbers, `True`, `None`, lists and dicts.
use std::fmt::Write;

use serde_json::{Number, Value};

/// `str(value)`: text as it is, anything else as [`repr`] writes it.
pub(super) fn str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`.
pub(super) fn repr(value: &Value) -> String {
    let mut written = String::new();
    write_repr(value, &mut written);
    written
}

/// `ascii(value)`: as [`repr`], with everything outside ASCII escaped.
pub(super) fn ascii(value: &Value) -> String {
    let mut written = String::new();
    for char in repr(value).chars() {
        if char.is_ascii() { written.push(char) } else { escape(char, &mut written) }
    }
    written
}

fn write_repr(value: &Value, written: &mut String) {
    match value {
        Value::Null => written.push_str("None"),
        Value::Bool(truth) => written.push_str(if *truth { "True" } else { "False" }),
        Value::Number(number) => written.push_str(&number_repr(number)),
        Value::String(text) => write_text(text, written),
        Value::Array(items) => {
            written.push('[');
            for (index, item) in items.iter().enumerate() {
                written.push_str(if index > 0 { ", " } else { "" });
                write_repr(item, written);
            }
            written.push(']');
        }
        Value::Object(items) => {
            written.push('{');
            for (index, (key, item)) in items.iter().enumerate() {
                written.push_str(if index > 0 { ", " } else { "" });
                write_text(key, written);
                written.push_str(": ");
                write_repr(item, written);
            }
            written.push('}');
        }
    }
}

/// Is a number of JSON one that Python reads as an `int`?
pub(super) fn is_integer(number: &Number) -> bool {
    !number.to_string().contains(['.', 'e', 'E'])
}

fn number_repr(number: &Number) -> String {
    let written = number.to_string();
    match written.as_str() {
        "-0" => "0".to_owned(),
        _ if is_integer(number) => written,
        _ => written.parse().map_or(written, float_repr),
    }
}

/// The shortest text that reads as the same float, with an exponent from 1e16 on and below 1e-4.
pub(super) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    // Rust begins to write exponents at the same sizes, but writes them without sign and padding.
    let written = format!("{float:?}");
    match written.split_once('e') {
        None => written,
        Some((digits, exponent)) => {
            let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
            format!("{digits}e{sign}{size:0>2}")
        }
    }
}

/// In single quotes, unless it has some and no double ones.
pub(super) fn write_text(text: &str, written: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    written.push(quote);
    for char in text.chars() {
        match char {
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\\' => written.push_str("\\\\"),
            char if char == quote => {
                written.push('\\');
                written.push(char);
            }
            char if is_printable(char) => written.push(char),
            char => escape(char, written),
        }
    }
    written.push(quote);
}

fn escape(char: char, written: &mut String) {
    let code = u32::from(char);
    let escaped = match code {
        ..=0xff => write!(written, "\\x{code:02x}"),
        0x100..=0xffff => write!(written, "\\u{code:04x}"),
        _ => write!(written, "\\U{code:08x}"),
    };
    escaped.expect("a String takes all text");
}

/// Python and Rust call the same characters printable. Rust escapes combining ones too, but only where a text begins.
fn is_printable(char: char) -> bool {
    if char.is_ascii() {
        return !char.is_ascii_control();
    }
    let mut within = String::from("a");
    within.push(char);
    within.escape_debug().nth(1) != Some('\\')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_python_prints_them() {
        for (value, printed) in [
            (json!(null), "None"),
            (json!([true, false]), "[True, False]"),
            (json!({"a": [1, 1.0, -2.5], "é": null}), "{'a': [1, 1.0, -2.5], 'é': None}"),
            (
                json!(["it's", "say \"it's\"", "tab\t\u{1}\u{a0}\u{301}é\\"]),
                "[\"it's\", 'say \"it\\'s\"', 'tab\\t\\x01\\xa0\u{301}é\\\\']",
            ),
            (
                json!([1e16, 1e15, 1e-4, 1e-5, 1.5e300, 0.1, 18_446_744_073_709_551_615_u64]),
                "[1e+16, 1000000000000000.0, 0.0001, 1e-05, 1.5e+300, 0.1, 18446744073709551615]",
            ),
            (json!("as it 'is'"), "as it 'is'"),
        ] {
            assert_eq!(str(&value), printed);
        }
        assert_eq!(ascii(&json!("é\u{1F600}中'")), "\"\\xe9\\U0001f600\\u4e2d'\"");
    }
}
