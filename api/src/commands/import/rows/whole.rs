//! Reads JSON and YAML, whose documents have to be read whole, and finds the prompts in the shapes people keep them in.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};
use shared::{bulk::is_record, numbers};

use super::strict::Strict;
use super::{MAPPED, Mapping, Row, Rows, all_shown, body, cannot_read, open, shown};

/// How large a file may be that has to fit into memory, some times over.
const LARGEST: u64 = 256 * 1024 * 1024;

const SHAPES: &str = "it has to hold a list of prompts (on its own, or under `prompts` or `items`), one prompt with \
                      its name and content, or an object of categories, each an object of names";

pub(super) fn read(
    path: &Path,
    mapping: &Mapping,
    parse: fn(&str) -> Result<Vec<Value>, String>,
) -> anyhow::Result<Rows> {
    let text = text(path, LARGEST)?;
    let (entries, notes) =
        parse(&text).and_then(|documents| all(documents, mapping)).map_err(|why| cannot_read(path, why))?;
    drop(text);
    check_columns(&entries, mapping).map_err(|why| cannot_read(path, why))?;
    let total = Some(entries.len() as u64);
    let mapping = mapping.clone();
    let iter = (1..).zip(entries).map(move |(number, entry)| {
        let taken = match entry {
            Entry { under: Some((category, name)), value } => body::from_entry(category, name, &value, &mapping),
            Entry { under: None, value } => match (is_record(&value), value) {
                (true, Value::Object(record)) => Ok((record, Vec::new())),
                (_, value) => body::from_value(&value, &mapping),
            },
        };
        Row::new(number, None, taken)
    });
    Ok(Rows { total, notes, iter: Box::new(iter) })
}

/// The document in a JSON file.
pub(super) fn json(text: &str) -> Result<Vec<Value>, String> {
    let Strict(value) = serde_json::from_str(text).map_err(|error| format!("it is not valid JSON: {error}"))?;
    match numbers::first_inexact(text.as_bytes()) {
        None => Ok(vec![value]),
        Some(inexact) => Err(format!("at `{}`: {}", inexact.pointer, numbers::detail(&inexact.number))),
    }
}

/// The text of the file without its byte order mark.
pub(super) fn text(path: &Path, largest: u64) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(largest + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(path, error))?;
    if bytes.len() as u64 > largest {
        let limit = largest / (1024 * 1024);
        return Err(cannot_read(path, format!("it is larger than {limit} MiB; CSV and NDJSON may be of any size")));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| cannot_read(path, "it is not UTF-8 text"))?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// A prompt in the document, with the category and the name it stands under, if it does.
struct Entry {
    under: Option<(String, String)>,
    value: Value,
}

/// The prompts of all documents, and what is to be said of the file as a whole.
fn all(documents: Vec<Value>, mapping: &Mapping) -> Result<(Vec<Entry>, Vec<String>), String> {
    if documents.is_empty() {
        return Err(format!("it is empty; {SHAPES}"));
    }
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for document in documents {
        all.extend(entries(document, mapping, &mut notes)?);
    }
    Ok((all, notes))
}

fn entries(value: Value, mapping: &Mapping, notes: &mut Vec<String>) -> Result<Vec<Entry>, String> {
    let mut object = match value {
        Value::Array(list) => return Ok(listed(list)),
        Value::Object(object) => object,
        other => return Err(format!("it is {}; {SHAPES}", body::kind(&other))),
    };
    let is_list = |key: &str| object.get(key).is_some_and(Value::is_array);
    let key = match (is_list("prompts"), is_list("items")) {
        (true, true) => return Err("it has both a `prompts` and an `items` list; one of them has to go".to_owned()),
        (true, false) => "prompts",
        (false, true) => "items",
        (false, false) if is_record(&Value::Object(object.clone())) || body::is_prompt(&object, mapping) => {
            return Ok(listed(vec![object.into()]));
        }
        (false, false) => return by_category(object),
    };
    let Some(Value::Array(list)) = object.remove(key) else { return Ok(Vec::new()) };
    beside(&object, key, list.len(), mapping, notes)?;
    Ok(listed(list))
}

/// What an answer of a store says of its page.
const PAGE: [&str; 5] = ["total", "limit", "offset", "has_more", "next_cursor"];

/// What stands beside a list of prompts belongs to none of them.
fn beside(
    object: &Map<String, Value>,
    list: &str,
    count: usize,
    mapping: &Mapping,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let is_page = list == "items" && object.contains_key("has_more");
    if is_page && object["has_more"] == true {
        let total = object.get("total").map_or(String::new(), |total| format!(" of {total}"));
        notes.push(format!("this is one page, {count}{total} prompts; `prompt-store export` writes all of them"));
    }
    let rest: Vec<&str> = object.keys().map(String::as_str).filter(|key| !(is_page && PAGE.contains(key))).collect();
    match rest.as_slice() {
        [] => Ok(()),
        rest if mapping.ignore_unknown => {
            notes.push(format!("left behind: {} beside `{list}`", all_shown(rest.iter().copied())));
            Ok(())
        }
        rest => Err(format!(
            "it has {} beside its `{list}`, which belongs to no prompt; take that away, or leave it behind with --ignore-unknown",
            all_shown(rest.iter().copied())
        )),
    }
}

fn listed(list: Vec<Value>) -> Vec<Entry> {
    list.into_iter().map(|value| Entry { under: None, value }).collect()
}

fn by_category(object: Map<String, Value>) -> Result<Vec<Entry>, String> {
    if object.is_empty() {
        return Err(format!("it is an empty object; {SHAPES}"));
    }
    let mut entries = Vec::new();
    for (category, value) in object {
        let Value::Object(prompts) = value else {
            return Err(format!("its {} is {}; {SHAPES}", shown(&category), body::kind(&value)));
        };
        entries.extend(prompts.into_iter().map(|(name, value)| Entry { under: Some((category.clone(), name)), value }));
    }
    Ok(entries)
}

/// Finds the column that was asked for by name and is in no row: more likely a slip than a wish.
fn check_columns(entries: &[Entry], mapping: &Mapping) -> Result<(), String> {
    let objects = || entries.iter().filter_map(|entry| Some((entry, entry.value.as_object()?)));
    let Some((first, keys)) = objects().next() else { return Ok(()) };
    for field in MAPPED {
        let is_given = first.under.is_some() && (field == "category" || field == "name");
        let Some(column) = mapping.chosen(field).filter(|_| !is_given) else { continue };
        if !objects().any(|(_, object)| object.contains_key(column)) {
            let keys = all_shown(keys.keys().map(String::as_str));
            return Err(format!("none of its rows has {}; the first has {keys}", shown(column)));
        }
    }
    Ok(())
}
