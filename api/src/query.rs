//! The query of an address, read strictly: what a lenient reader would mend is refused before anything is made of it.
use std::collections::HashSet;

use serde::de::DeserializeOwned;
use shared::{Error, Violation, misfit, text};

/// The parameters, in their order, as a form writes them: `+` is a space.
///
/// # Errors
/// 400 `bad-query` for a `%` without two hex digits and for bytes that are no UTF-8; 422 `nul-character` for `%00`.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Error> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| pair(part.split_once('=').unwrap_or((part, "")))).collect()
}

/// The same, each once.
///
/// # Errors
/// Those of [`pairs`]; 422 `duplicate` for a parameter that is given twice.
pub(crate) fn each_once(query: &str) -> Result<Vec<(String, String)>, Error> {
    let pairs = pairs(query)?;
    let mut seen = HashSet::new();
    match pairs.iter().find(|(key, _)| !seen.insert(key)) {
        Some((key, _)) => Err(twice(key)),
        None => Ok(pairs),
    }
}

/// Known parameters only; `name=a&name=b` where a list is wanted, and nowhere else.
///
/// # Errors
/// Those of [`each_once`], and 422 for what the route does not know or cannot read.
pub(crate) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let pairs = pairs(query)?;
    let deserializer = serde_html_form::Deserializer::from_bytes(query.as_bytes());
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let key = path.split('[').next().unwrap_or_default();
        if path == key && pairs.iter().filter(|(given, _)| given == key).count() > 1 {
            return twice(key);
        }
        let pointer = if path == "." { String::new() } else { pointer(key) };
        Error::from_violations(vec![misfit::violation(&pointer, "the query", &error.inner().to_string())])
    })
}

fn pair((key, value): (&str, &str)) -> Result<(String, String), Error> {
    let key = decoded(key).map_err(|why| bad("", &format!("the name of a parameter {why}")))?;
    let pointer = pointer(&key);
    let name = text::quoted(&key);
    let value = decoded(value).map_err(|why| bad(&pointer, &format!("`{name}` {why}")))?;
    for text in [&key, &value] {
        text::no_nul(text, &pointer).map_err(|violation| Error::from_violations(vec![violation]))?;
    }
    Ok((key, value))
}

/// What percent-encoding stands for, or what is wrong with it.
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits =
                    [bytes.next(), bytes.next()].map(|digit| char::from(digit.unwrap_or_default()).to_digit(16));
                let [Some(high), Some(low)] = digits else { return Err("has a `%` that two hex digits do not follow") };
                u8::try_from((high << 4) | low).unwrap_or_default()
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| "is not UTF-8")
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn bad(pointer: &str, detail: &str) -> Error {
    let violations = vec![Violation::new(pointer, "percent-encoding", detail)];
    Error::Invalid { code: "bad-query", detail: detail.to_owned(), violations }
}

fn twice(key: &str) -> Error {
    let detail = format!("`{}` is given twice; give it once", text::quoted(key));
    Error::invalid(pointer(key), "duplicate", detail)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn codes(error: &Error) -> (&'static str, String, &'static str) {
        let Error::Invalid { code, violations, .. } = error else { panic!("{error:?}") };
        (code, violations[0].pointer.clone(), violations[0].code)
    }

    #[test]
    fn a_query_is_read_as_forms_write_it() {
        let read = pairs("a=1&b=x+y%2B%c3%a9&&c&=d&e==f").unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b", "x y+é"), ("c", ""), ("", "d"), ("e", "=f")]);
        assert_eq!(pairs("").unwrap(), []);
    }

    #[test]
    fn nothing_is_mended() {
        for query in ["x=caf%E9", "x=%E0%A4%A", "x=%", "x=%4", "x=%zz", "x=%-1", "x=%+1"] {
            assert_eq!(
                codes(&pairs(query).unwrap_err()),
                ("bad-query", "/x".to_owned(), "percent-encoding"),
                "{query}"
            );
        }
        assert_eq!(codes(&pairs("%ff=1").unwrap_err()), ("bad-query", String::new(), "percent-encoding"));
        assert_eq!(codes(&pairs("x=a%00b").unwrap_err()), ("validation-failed", "/x".to_owned(), "nul-character"));
    }

    #[test]
    fn one_value_is_given_once_however_it_is_written() {
        for query in ["x=1&x=2", "x=1&x=1", "x=1&%78=2"] {
            assert_eq!(codes(&each_once(query).unwrap_err()), ("validation-failed", "/x".to_owned(), "duplicate"));
        }
        assert!(each_once("x=1&X=2&y=1").is_ok());
    }

    #[test]
    fn known_parameters_are_read_and_lists_may_have_several() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Wanted {
            limit: Option<i64>,
            tags: Vec<String>,
        }
        let wanted: Wanted = read("tags=a&tags=b&limit=7").unwrap();
        assert_eq!(wanted, Wanted { limit: Some(7), tags: vec!["a".to_owned(), "b".to_owned()] });
        for (query, pointer, code, told) in [
            ("limit=1&limit=2", "/limit", "duplicate", "`limit` is given twice; give it once"),
            ("limit=x", "/limit", "invalid", "`limit`: it must be a whole number of at most 64 bits"),
            ("most=1", "/most", "unknown-field", "`most` is no known field; known: `limit` or `tags`"),
        ] {
            let error = read::<Wanted>(query).unwrap_err();
            assert_eq!(codes(&error), ("validation-failed", pointer.to_owned(), code), "{query}");
            assert_eq!(error.to_string(), told, "{query}");
        }
    }
}
