//! Ids by the order in which they are first seen: two stores that do the same call them the same.
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use serde_json::Value;

/// The characters of an id after its prefix.
const LENGTH: usize = 26;

/// The ids of one store.
#[derive(Default)]
pub(super) struct Ids {
    names: HashMap<String, String>,
    reals: HashMap<String, String>,
    by_prefix: BTreeMap<String, Vec<String>>,
}

impl Ids {
    /// A value with names in the place of ids.
    pub(super) fn known(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.named(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.known(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(key, value)| (self.named(&key), self.known(value))).collect()
            }
            other => other,
        }
    }

    /// A text with ids in the place of their names.
    pub(super) fn real(&self, text: &str) -> String {
        let mut parts = text.split("<id:");
        let mut real = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once('>') {
                Some((name, rest)) if self.reals.contains_key(name) => {
                    real.push_str(&self.reals[name]);
                    real.push_str(rest);
                }
                _ => {
                    real.push_str("<id:");
                    real.push_str(part);
                }
            }
        }
        real
    }

    /// The name of one of the last ids of a kind, the `from_last`th of them.
    pub(super) fn recent(&self, prefix: &str, from_last: usize) -> Option<String> {
        let known = self.by_prefix.get(prefix)?;
        let name = known.get(known.len().checked_sub(1 + from_last % known.len().min(12))?)?;
        Some(format!("<id:{name}>"))
    }

    fn named(&mut self, text: &str) -> String {
        let (mut named, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((start, end, prefix)) = find(rest) {
            let real = &rest[start..end];
            let by_prefix = self.by_prefix.entry(prefix.to_owned()).or_default();
            let name = self.names.entry(real.to_owned()).or_insert_with(|| {
                let name = format!("{prefix}{}", by_prefix.len());
                by_prefix.push(name.clone());
                self.reals.insert(name.clone(), real.to_owned());
                name
            });
            named.push_str(&rest[..start]);
            write!(named, "<id:{name}>").unwrap();
            rest = &rest[end..];
        }
        named + rest
    }
}

/// Where the first id stands in a text, and its prefix.
fn find(text: &str) -> Option<(usize, usize, &str)> {
    let is_ours = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    for (under, _) in text.match_indices('_') {
        let start = text[..under]
            .rfind(|char: char| !char.is_ascii_lowercase())
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let end = under + 1 + LENGTH;
        let prefix = &text[start..under];
        if (2..=3).contains(&prefix.len())
            && text.as_bytes().get(under + 1..end).is_some_and(|id| id.iter().all(is_ours))
        {
            return Some((start, end, prefix));
        }
    }
    None
}

#[test]
fn ids_are_called_by_the_order_they_come_in() {
    let mut ids = Ids::default();
    let (one, other) = ("prm_01J9Z3N5T8QWERTYASDFGHZXCV", "prm_01J9Z3N5T8QWERTYASDFGHZXCW");
    let named = ids.known(serde_json::json!({ "id": one, "é": format!("`{other}` of {one}") }));
    assert_eq!(named, serde_json::json!({ "id": "<id:prm0>", "é": "`<id:prm1>` of <id:prm0>" }));
    assert_eq!(ids.real("/prompts/<id:prm1>/x<id:no>"), format!("/prompts/{other}/x<id:no>"));
    assert_eq!(ids.recent("prm", 0).as_deref(), Some("<id:prm1>"));
    assert_eq!(ids.recent("whk", 0), None);
}
