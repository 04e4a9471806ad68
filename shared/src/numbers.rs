//! Numbers are kept as they were sent, or refused. A whole number has 64 bits here and any other is a double, so some of
//! those that JSON can write would silently become others.
use std::ops::Range;

use serde_json::{Number, Value};

use crate::error::{Error, Result};

/// Refuses a JSON text with a number that cannot be kept as it is written: 422 with its pointer and `number-not-exact`.
/// The text must be JSON.
pub fn check(json: &[u8]) -> Result<()> {
    match first_inexact(json) {
        None => Ok(()),
        Some(inexact) => Err(Error::invalid(inexact.pointer, INEXACT, detail(&inexact.number))),
    }
}

/// The code of a number that cannot be kept as it is written.
pub const INEXACT: &str = "number-not-exact";

/// What is wrong with such a number, in a sentence.
#[must_use]
pub fn detail(number: &str) -> String {
    let shown: String = number.chars().take(64).collect();
    format!(
        "`{shown}` cannot be kept as it is written: a whole number has at most 64 bits, any other what a double holds; send it as text"
    )
}

/// A number that cannot be kept as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexact {
    /// JSON Pointer (RFC 6901) to it.
    pub pointer: String,
    /// As it is written.
    pub number: String,
}

/// The first such number in a text that is JSON.
#[must_use]
pub fn first_inexact(json: &[u8]) -> Option<Inexact> {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'{' => path.push(Step::Member { key: 0..0, is_next: true }),
            b'[' => path.push(Step::Item(0)),
            b'}' | b']' => drop(path.pop()),
            b',' => match path.last_mut() {
                Some(Step::Item(index)) => *index += 1,
                Some(Step::Member { is_next, .. }) => *is_next = true,
                None => {}
            },
            b'"' => {
                at = end_of_string(json, at);
                if let Some(Step::Member { key, is_next }) = path.last_mut()
                    && std::mem::take(is_next)
                {
                    *key = begin..at;
                }
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                at += json[at..].iter().take_while(|byte| is_part(byte)).count();
                let number = str::from_utf8(&json[begin..at]).unwrap_or_default();
                if !is_exact(number) {
                    return Some(Inexact { pointer: pointer(json, &path), number: number.to_owned() });
                }
            }
            _ => {}
        }
    }
    None
}

/// A step on the way to a value.
enum Step {
    /// The item of this index.
    Item(usize),
    /// The member whose key stands there, with its quotes; or the next string is a key.
    Member { key: Range<usize>, is_next: bool },
}

/// Where the string ends whose first character is at `at`: after its closing quote.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

fn pointer(json: &[u8], path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Item(index) => format!("/{index}"),
        Step::Member { key, .. } => {
            let key: String = serde_json::from_slice(&json[key.clone()]).unwrap_or_default();
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
    };
    path.iter().map(step).collect()
}

/// Is a number of JSON or YAML, written like this, kept with the same value? `1.10` is, as 1.1.
///
/// A double is written with as few digits as tell it from all others. Where two such texts are equally near, those who
/// write it choose differently, so none of them is kept.
#[must_use]
pub fn is_exact(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.len() <= 18 || number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    }
    match number.parse::<f64>() {
        Ok(double) if double.is_finite() => {
            let number = decimal(number);
            number == decimal(&format!("{double:e}")) && number == decimal(&Value::from(double).to_string())
        }
        _ => false,
    }
}

/// The value of a number, whatever the way it is written: its digits, without zeros around them, and the power of ten of
/// the last one.
fn decimal(number: &str) -> (bool, String, i64) {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let power = power.parse::<i64>().unwrap_or(i64::MAX);
    let power = power.saturating_sub(length(fraction)).saturating_add(length(&digits) - length(kept));
    match kept.trim_start_matches('0') {
        "" => (false, String::new(), 0),
        kept => (sign, kept.to_owned(), power),
    }
}

/// A number without a fraction, as it is written without one: 5 of `5.0`, 1000 of `1e3`. `None`, if it has a fraction or
/// more than 64 bits.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at before")]
pub fn whole(number: &Number) -> Option<Number> {
    /// 2^63 and 2^64: the first doubles that are too large.
    const SIGNED_END: f64 = 9_223_372_036_854_775_808.0;
    const UNSIGNED_END: f64 = 18_446_744_073_709_551_616.0;
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let double = number.as_f64().filter(|double| double.fract() == 0.0)?;
    match double {
        _ if (0.0..UNSIGNED_END).contains(&double) => Some((double as u64).into()),
        _ if (-SIGNED_END..0.0).contains(&double) => Some((double as i64).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_number_is_kept_with_its_value_or_is_not_exact() {
        for number in [
            "0",
            "-0",
            "-0.0",
            "0e999999999999",
            "7",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615",
            "1.10",
            "0.1",
            "1e3",
            "1E+3",
            "1.50",
            "0.30000000000000004",
            "1e20",
            "5e-324",
            "1.7976931348623157e308",
            "100.000",
            "0.000001",
        ] {
            assert!(is_exact(number), "{number}");
        }
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234",
            "100000000000000000000",
            "0.10000000000000000001",
            "3.141592653589793238",
            "1e400",
            "1e-400",
            "12345678901234567890.5",
            "9007199254740993.0",
            "1e99999999999999999999",
        ] {
            assert!(!is_exact(number), "{number}");
        }
    }

    #[test]
    fn the_first_inexact_number_has_a_pointer() {
        for (json, pointer) in [
            (r#"{"a/b": [1, {"~": 18446744073709551616}]}"#, "/a~1b/1/~0"),
            (r#"[1, "123456789012345678901234", 1e400]"#, "/2"),
            (r#"{"x": {"y\"": 1}, "z": [[], {}, 0.10000000000000000001]}"#, "/z/2"),
            (r#"{"\"k": 99999999999999999999}"#, "/\"k"),
            ("99999999999999999999", ""),
        ] {
            assert_eq!(first_inexact(json.as_bytes()).unwrap().pointer, pointer, "{json}");
        }
        assert_eq!(first_inexact(br#"{"99999999999999999999": "99999999999999999999\\", "a": [1.5, -2]}"#), None);
        let error = check(b"[99999999999999999999]").unwrap_err();
        assert!(matches!(error, Error::Invalid { violations, .. } if violations[0].code == INEXACT));
    }

    #[test]
    fn a_whole_number_loses_its_fraction_and_never_its_value() {
        for (number, digits) in [
            ("5.0", Some("5")),
            ("1e3", Some("1000")),
            ("-2.0", Some("-2")),
            ("-0.0", Some("0")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("-9223372036854775808.0", Some("-9223372036854775808")),
            ("1e20", None),
            ("-1e19", None),
            ("0.5", None),
        ] {
            let number: Number = serde_json::from_str(number).unwrap();
            assert_eq!(whole(&number).map(|whole| whole.to_string()).as_deref(), digits, "{number}");
        }
    }

    /// A number as it may be written: up to 25 digits, a fraction and a power of ten perhaps.
    fn number(random: &mut StdRng) -> String {
        let digits = |random: &mut StdRng| -> String {
            let length = random.random_range(1..=25);
            (0..length).map(|_| char::from(b'0' + random.random_range(0..10_u8))).collect()
        };
        let whole = digits(random).trim_start_matches('0').to_owned();
        let mut number = if random.random() { "-".to_owned() } else { String::new() };
        number += if whole.is_empty() { "0" } else { &whole };
        if random.random() {
            number.push('.');
            number += &digits(random);
        }
        if random.random() {
            number.push('e');
            number += &random.random_range(-400..400).to_string();
        }
        number
    }

    #[test]
    fn what_is_exact_is_read_and_written_with_the_same_value_as_often_as_one_likes() {
        let (mut random, mut exact) = (StdRng::seed_from_u64(5), 0);
        for number in (0..20_000).map(|_| number(&mut random)).filter(|number| is_exact(number)) {
            exact += 1;
            let value: Value = serde_json::from_str(&number).unwrap();
            assert_eq!(decimal(&value.to_string()), decimal(&number), "{number}");
            let again: Value = serde_json::from_str(&value.to_string()).unwrap();
            assert_eq!(again.to_string(), value.to_string(), "{number}");
        }
        assert!(exact > 500, "{exact}");
    }

    #[test]
    fn every_double_is_exact_as_programs_write_it() {
        let (mut random, mut disagree) = (StdRng::seed_from_u64(6), 0);
        for double in (0..20_000).map(|_| f64::from_bits(random.random())).filter(|double| double.is_finite()) {
            let (one, other) = (format!("{double:e}"), Value::from(double).to_string());
            let agree = decimal(&one) == decimal(&other);
            assert_eq!((is_exact(&one), is_exact(&other)), (agree, agree), "{double}");
            disagree += u32::from(!agree);
        }
        assert!(disagree < 20, "of 20,000 very few have two texts: {disagree}");
    }
}
