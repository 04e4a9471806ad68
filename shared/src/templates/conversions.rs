//! Conversions of Jinja2 as Python makes them: values as text, texts as numbers, and the tests of what a value is.
use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, escape_formatter};

use super::python;
use super::weighed::Weighed;

/// A value as a text where a text is needed. No template can name it.
pub(super) const TEXT: &str = "+text";

/// A value that has items, or is not there. No template can name it.
pub(super) const ITEMS: &str = "+items";

/// A test of what a value is.
type Is = fn(&Value) -> bool;

/// Makes the engine print and convert like Python.
pub(super) fn install(env: &mut Environment<'_>) {
    env.set_formatter(|out, state, value| match (float(value), value.kind()) {
        (Some(float), _) => Ok(out.write_str(&python::float_repr(float))?),
        (None, ValueKind::Plain | ValueKind::Map) if value.downcast_object_ref::<Weighed>().is_none() => {
            Err(wrong("a loop and a macro cannot be printed"))
        }
        _ => escape_formatter(out, state, value),
    });
    env.add_filter(ITEMS, |value: Value| match value.is_none() {
        true => Err(wrong("none has no items")),
        false => Ok(value),
    });
    env.add_filter("e", escape);
    env.add_filter("escape", escape);
    env.add_filter("indent", indent);
    env.add_filter("urlencode", |value: Value| urlencode(&value));
    env.add_filter(TEXT, |value: Value| match float(&value) {
        Some(float) => Value::from(python::float_repr(float)),
        None => value,
    });
    env.add_filter("default", default);
    env.add_filter("d", default);
    env.add_filter("int", int);
    env.add_filter("float", to_float);
    env.add_filter("round", round);
    env.add_filter("join", join);
    env.add_test("odd", |value: Value| rest(&value, &Value::from(2)).map(|rest| rest == Value::from(1)));
    env.add_test("even", |value: Value| rest(&value, &Value::from(2)).map(|rest| rest == Value::from(0)));
    env.add_test("divisibleby", |value: Value, by: Value| rest(&value, &by).map(|rest| rest == Value::from(0)));
    let tests: [(&str, Is); 8] = [
        ("number", |value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool)),
        ("integer", |value| value.is_integer()),
        ("int", |value| value.is_integer()),
        ("float", |value| float(value).is_some()),
        ("sequence", |value| matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map)),
        ("iterable", |value| {
            matches!(
                value.kind(),
                ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map | ValueKind::Undefined
            )
        }),
        ("true", |value| value.kind() == ValueKind::Bool && value.is_true()),
        ("false", |value| value.kind() == ValueKind::Bool && !value.is_true()),
    ];
    for (name, test) in tests {
        env.add_test(name, move |value: Value| test(&value));
    }
}

/// The value, if it is a float.
fn float(value: &Value) -> Option<f64> {
    let is_float = value.kind() == ValueKind::Number && !value.is_integer();
    if is_float { f64::try_from(value.clone()).ok() } else { None }
}

/// What a list or map of the engine looks like, as Python's `repr()` writes it.
pub(super) fn write_repr(value: &Value, written: &mut String) {
    match value.kind() {
        ValueKind::String => python::write_text(value.as_str().unwrap_or_default(), written),
        ValueKind::Number => match float(value) {
            Some(float) => written.push_str(&python::float_repr(float)),
            None => write!(written, "{value}").expect("a String takes all text"),
        },
        ValueKind::Undefined => written.push_str("Undefined"),
        _ => write!(written, "{value}").expect("a String takes all text"),
    }
}

fn default(value: Value, other: Value, boolean: bool) -> Value {
    if value.is_undefined() || boolean && !value.is_true() { other } else { value }
}

/// What is left of a number when it is divided, with the sign of the divisor.
fn rest(value: &Value, by: &Value) -> Result<Value, Error> {
    let is_number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if !is_number(value) || !is_number(by) {
        return Err(wrong("only numbers are odd, even or divisible; convert the text (`|int`)"));
    }
    if let (None, None, Ok(value), Ok(by)) =
        (float(value), float(by), i128::try_from(value.clone()), i128::try_from(by.clone()))
    {
        let rest = value.checked_rem(by).ok_or_else(|| wrong("nothing is divisible by 0"))?;
        return Ok(Value::from(if rest != 0 && (rest < 0) != (by < 0) { rest + by } else { rest }));
    }
    let (Ok(value), Ok(by)) = (f64::try_from(value.clone()), f64::try_from(by.clone())) else {
        return Err(wrong("the number is too large to be divided"));
    };
    if by == 0.0 {
        return Err(wrong("nothing is divisible by 0"));
    }
    Ok(Value::from(value - by * (value / by).floor()))
}

/// With the entities that Jinja2 writes.
fn escape(value: &Value) -> String {
    let mut escaped = String::new();
    for char in value.to_string().chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Blanks before every line, but for the first and for empty ones, unless these are wanted too.
fn indent(state: &State, value: &Value, width: usize, first: bool, blank: bool) -> Result<String, Error> {
    let text = format!("{value}\n");
    let is_end = |char| {
        matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let unified = text.replace("\r\n", "\n");
    let mut lines: Vec<&str> = unified.split(is_end).collect();
    lines.pop(); // The text ends with the end of a line.
    state.consume_fuel((lines.len() * width) as u64 / 64 + lines.len() as u64)?;
    let blanks = " ".repeat(width);
    let mut indented = String::new();
    for (index, line) in lines.into_iter().enumerate() {
        indented.push_str(if index > 0 { "\n" } else { "" });
        let is_indented = if index == 0 { first } else { blank || !line.is_empty() };
        indented.push_str(if is_indented { &blanks } else { "" });
        indented.push_str(line);
    }
    Ok(indented)
}

/// A text as a part of an address; a map as its query.
fn urlencode(value: &Value) -> Result<String, Error> {
    let text = |value: &Value, written: &mut String, is_query: bool| {
        for byte in value.to_string().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => written.push(char::from(byte)),
                b'/' if !is_query => written.push('/'),
                b' ' if is_query => written.push('+'),
                other => write!(written, "%{other:02X}").expect("a String takes all text"),
            }
        }
    };
    let mut written = String::new();
    if value.kind() != ValueKind::Map {
        text(value, &mut written, false);
        return Ok(written);
    }
    for key in value.try_iter()? {
        written.push_str(if written.is_empty() { "" } else { "&" });
        text(&key, &mut written, true);
        written.push('=');
        text(&value.get_item(&key)?, &mut written, true);
    }
    Ok(written)
}

fn wrong(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

/// A number as Python reads it: blanks around it and single `_` between digits do not count.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
    let between =
        |(at, _): (usize, &str)| digit(text[..at].chars().next_back()) && digit(text[at + 1..].chars().next());
    text.match_indices('_').all(between).then(|| text.replace('_', ""))
}

fn read_float(text: &str) -> Option<f64> {
    digits(text)?.parse().ok()
}

#[expect(clippy::cast_possible_truncation, reason = "it was looked whether it fits")]
fn whole(float: f64) -> Option<i128> {
    (float.abs() < 1e38).then_some(float as i128)
}

fn int(state: &mut State, value: Value, default: Value, base: u32) -> Result<Value, Error> {
    let read = match value.kind() {
        ValueKind::Undefined => {
            state.format(value)?; // Says so, unless it may be absent.
            None
        }
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number => match float(&value) {
            None => return Ok(value),
            Some(float) => Some(whole(float).ok_or_else(|| wrong("the number is too large for an integer"))?),
        },
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if text.chars().any(|char| !char.is_ascii() && char.is_numeric()) {
                return Err(wrong("only the digits 0 to 9 are read as a number"));
            }
            let by_base = digits(text).and_then(|text| in_base(&text, base));
            by_base.or_else(|| read_float(text).and_then(whole))
        }
        _ => None,
    };
    Ok(read.map_or(default, Value::from))
}

/// With the sign and the prefix that Python knows for the base.
fn in_base(text: &str, base: u32) -> Option<i128> {
    if !(2..=36).contains(&base) {
        return None;
    }
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { -1 } else { 1 }, digits),
        None => (1, text),
    };
    let prefix = match base {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    };
    let has_prefix = digits.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let digits = if has_prefix { &digits[prefix.len()..] } else { digits };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    i128::from_str_radix(digits, base).ok().map(|number| sign * number)
}

fn to_float(state: &mut State, value: Value, default: Value) -> Result<Value, Error> {
    let read = match value.kind() {
        ValueKind::Undefined => {
            state.format(value)?; // Says so, unless it may be absent.
            None
        }
        ValueKind::Bool => Some(if value.is_true() { 1.0 } else { 0.0 }),
        ValueKind::Number => f64::try_from(value).ok(),
        ValueKind::String
            if value.as_str().is_some_and(|text| text.chars().any(|char| !char.is_ascii() && char.is_numeric())) =>
        {
            return Err(wrong("only the digits 0 to 9 are read as a number"));
        }
        ValueKind::String => value.as_str().and_then(read_float),
        _ => None,
    };
    // What is given in its place stays as it was written, but for the 0 that stands for 0.0.
    let otherwise = if default.as_i64() == Some(0) && default.is_integer() { Value::from(0.0) } else { default };
    Ok(read.map_or(otherwise, Value::from))
}

/// `common` leaves integers what they are; `ceil` and `floor` go by floats, as in Jinja2.
fn round(value: Value, precision: i32, method: &str) -> Result<Value, Error> {
    let number = match value.kind() {
        ValueKind::Bool => f64::from(u8::from(value.is_true())),
        ValueKind::Number => {
            f64::try_from(value.clone()).map_err(|_| wrong("the number is too large to be rounded"))?
        }
        _ => return Err(wrong("only a number can be rounded; convert the text (`|float`)")),
    };
    if method != "common" {
        let scale = 10_f64.powi(precision);
        let scaled = number * scale;
        let whole = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
        return finite(whole / scale);
    }
    if float(&value).is_none() {
        let as_integer = i128::try_from(value.clone()).map_err(|_| wrong("the number is too large to be rounded"))?;
        return if precision >= 0 {
            Ok(Value::from(as_integer))
        } else {
            Ok(Value::from(round_integer(as_integer, precision)))
        };
    }
    // Beyond what a float has digits for, nothing changes or nothing is left.
    match precision {
        301.. => return Ok(value),
        ..=-310 => return Ok(Value::from(0.0)),
        _ => {}
    }
    match usize::try_from(precision) {
        // Decimal digits are cut from the number as it is, and not from a multiple of it.
        Ok(precision) => finite(format!("{number:.precision$}").parse().unwrap_or(number)),
        Err(_) => finite(half_to_even(number / 10_f64.powi(-precision)) * 10_f64.powi(-precision)),
    }
}

fn finite(number: f64) -> Result<Value, Error> {
    if number.is_finite() { Ok(Value::from(number)) } else { Err(wrong("the number cannot be rounded like that")) }
}

fn half_to_even(number: f64) -> f64 {
    number.round_ties_even()
}

fn round_integer(number: i128, precision: i32) -> i128 {
    let Some(unit) = 10_i128.checked_pow(precision.unsigned_abs()) else { return 0 };
    let (quotient, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
    let up = rest * 2 > unit || rest * 2 == unit && quotient % 2 != 0;
    (quotient + i128::from(up)) * unit
}

/// Items as Python prints them, with a text between them.
fn join(state: &mut State, value: &Value, separator: &Value, attribute: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        state.format(value.clone())?; // Says so, unless it may be absent.
    }
    let separator = separator.to_string();
    let mut joined = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        let item = match attribute.as_str() {
            Some(path) => super::order::at_path(&item, path)?,
            None if attribute.is_none() => item,
            None => item.get_item(attribute)?,
        };
        if item.is_undefined() {
            state.format(item.clone())?;
        }
        if index > 0 {
            joined.push_str(&separator);
        }
        let before = joined.len();
        match (item.as_str(), float(&item)) {
            (Some(text), _) => joined.push_str(text),
            (_, Some(float)) => joined.push_str(&python::float_repr(float)),
            _ => write!(joined, "{item}").expect("a String takes all text"),
        }
        // The separator may be long, and is repeated.
        state.consume_fuel(1 + (joined.len() - before + separator.len()) as u64 / 64)?;
    }
    Ok(joined)
}
