//! JSON as it must be: what a lenient parser lets pass is refused before anything is made of it.
use std::{cell::RefCell, collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use shared::{Error, misfit, numbers};

const DEPTH_MAX: usize = 32;
const KEYS_MAX: usize = 256;
const ITEMS_MAX: usize = 10_000;

/// Reads a body. 400 for what is no JSON, for repeated keys and for nesting beyond 32; 422, with a pointer, for
/// JSON that is not what the route takes, and for numbers that cannot be kept as they are written.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    check(bytes)?;
    numbers::check(bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    misfit::read(&mut deserializer, "the body")
}

fn check(bytes: &[u8]) -> Result<(), Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(bad("json-syntax", "the request needs a JSON body, and has none"));
    }
    let found = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let walked = Strict { depth: 0, found: &found }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|error| match found.take() {
        Some(found) => found,
        None => bad("json-syntax", format!("the body is not JSON: {error}")),
    })
}

fn bad(code: &'static str, detail: impl Into<String>) -> Error {
    Error::Invalid { code, detail: detail.into(), violations: Vec::new() }
}

/// Walks a value without keeping it. What it refuses is left in `found`.
#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    found: &'f RefCell<Option<Error>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, error: Error) -> E {
        self.found.replace(Some(error));
        E::custom("refused")
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(self.refuse(bad("too-deep", format!("the body nests deeper than {DEPTH_MAX} levels"))));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut count = 0;
        while items.next_element_seed(inner)?.is_some() {
            count += 1;
            if count > ITEMS_MAX {
                return Err(self.refuse(Error::invalid(
                    "",
                    "too-many",
                    format!("a list has more than {ITEMS_MAX} items"),
                )));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if seen.len() == KEYS_MAX {
                return Err(self.refuse(Error::invalid(
                    "",
                    "too-many",
                    format!("an object has more than {KEYS_MAX} keys"),
                )));
            }
            if seen.contains(&key) {
                return Err(
                    self.refuse(bad("duplicate-key", format!("the key `{}` stands twice in one object", short(&key))))
                );
            }
            seen.insert(key);
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

fn short(key: &str) -> String {
    key.chars().take(64).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn code(bytes: &[u8]) -> &'static str {
        read::<Value>(bytes).unwrap_err().code()
    }

    #[test]
    fn what_is_no_json_is_refused_as_syntax() {
        for text in ["", " \n", "{", "[1,]", "{\"a\":1,}", "// no\n{}", "NaN", "1e400", "{} {}", "\"\\ud800\"", "'a'"] {
            assert_eq!(code(text.as_bytes()), "json-syntax", "{text}");
        }
        assert_eq!(code(b"\"\xff\""), "json-syntax");
    }

    #[test]
    fn one_byte_order_mark_is_passed_over() {
        assert_eq!(read::<Value>("\u{feff}{\"a\": 1}".as_bytes()).unwrap()["a"], 1);
    }

    #[test]
    fn a_key_may_stand_once_at_any_depth() {
        assert_eq!(code(br#"{"a": 1, "a": 2}"#), "duplicate-key");
        assert_eq!(code(br#"{"x": [{"a": 1, "a": 2}]}"#), "duplicate-key");
        assert!(read::<Value>(br#"[{"a": 1}, {"a": 2}]"#).is_ok());
    }

    #[test]
    fn nesting_has_an_end_even_for_a_hundred_thousand_levels() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
        assert!(read::<Value>(&nested(32)).is_ok());
        for levels in [33, 128, 100_000] {
            assert_eq!(code(&nested(levels)), "too-deep", "{levels}");
        }
        assert_eq!(code("{\"a\":".repeat(100_000).as_bytes()), "too-deep");
    }

    #[test]
    fn a_misfit_has_a_pointer() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[expect(dead_code, reason = "only its absence matters")]
            items: Vec<String>,
        }
        for (text, pointer, code) in [
            (r#"{"items": ["a", 1]}"#, "/items/1", "wrong-type"),
            (r#"{"items": [], "a/b": 1}"#, "/a~1b", "unknown-field"),
            (r"{}", "/items", "required"),
            (r"[[]]", "", "wrong-type"),
        ] {
            let Error::Invalid { violations, .. } = read::<Body>(text.as_bytes()).unwrap_err() else {
                panic!("{text}")
            };
            assert_eq!((violations[0].pointer.as_str(), violations[0].code), (pointer, code), "{text}: {violations:?}");
        }
    }
}
