//! Makes the body of `POST /prompts` out of one object of a file: renames what the mapping names, says what it does not know, and
//! fills in the category and the tags.

use serde_json::{Map, Value};

use super::strict::Strict;
use super::{FIELDS, MAPPED, Mapping, Taken, Unreadable, all_shown, shown, unknown};

/// What the store's own answers say of a prompt besides its body. An export carries it; an answer does not say all of it.
pub(super) const ANSWERED: [&str; 20] = [
    "id",
    "version",
    "revision",
    "labels",
    "lifecycle_status",
    "status_changed_at",
    "sunset_at",
    "successor_id",
    "parent_id",
    "parent_version",
    "created_by",
    "created_at",
    "updated_at",
    "usage_count",
    "performance_score",
    "deleted_at",
    "content_hash",
    "optional_variables",
    "damaged",
    "served",
];

/// The body of a prompt that is an object of its own.
pub(super) fn from_value(value: &Value, mapping: &Mapping) -> Result<Taken, Unreadable> {
    let Value::Object(source) = value else {
        return Err(format!("is {}, not an object", kind(value)).into());
    };
    let (body, rest) = pick(source, mapping);
    if !body.contains_key("name") {
        return Err(missing("name", mapping).into());
    }
    must_have_text(&body, mapping)?;
    let left = leave(source, &rest, mapping)?;
    Ok((complete(body, mapping)?, left))
}

/// The body of a prompt that stands under its category and its name: its text, or an object with the rest.
pub(super) fn from_entry(
    category: String,
    name: String,
    value: &Value,
    mapping: &Mapping,
) -> Result<Taken, Unreadable> {
    let place = format!("{} / {}", shown(&category), shown(&name));
    let at = |why: Unreadable| Unreadable { why: format!("{place} {}", why.why), ..why };
    let mut body = Map::from_iter([("category".to_owned(), category.into()), ("name".to_owned(), name.into())]);
    let mut left = Vec::new();
    match value {
        Value::Object(source) => {
            let (picked, mut rest) = pick(source, mapping);
            for (field, value) in picked {
                // The place in the file decides what a prompt is called: what is said further inside may only say the same.
                match body.get(&field) {
                    Some(given) if *given == value => {}
                    Some(_) if mapping.ignore_unknown => rest.push(field),
                    Some(_) => {
                        return Err(format!("{place} has another `{field}` inside; take one of them away").into());
                    }
                    None => drop(body.insert(field, value)),
                }
            }
            left = leave(source, &rest, mapping).map_err(at)?;
        }
        Value::Array(_) | Value::Null => {
            return Err(format!("{place} is {}, neither a text nor an object", kind(value)).into());
        }
        text => drop(body.insert("content".to_owned(), text.clone())),
    }
    Ok((complete(body, mapping).map_err(at)?, left))
}

/// What a cell of a table says of a field.
pub(super) fn from_cell(field: &str, cell: &str, column: &str) -> Result<Value, Unreadable> {
    let json = || {
        let read = serde_json::from_str(cell).map(|Strict(value)| value);
        read.map_err(|error| format!("has {} in {column}, which is no JSON: {error}", shown(cell)).into())
    };
    match field {
        "messages" | "input_schema" | "config" => json(),
        "variables" if cell.trim_start().starts_with('[') => json(),
        "variables" => Ok(split(cell)?.into()),
        "type" | "template_format" => Ok(cell.trim().to_lowercase().into()),
        "is_template" => match cell.trim().to_lowercase().as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(format!("has {} in {column}, where `true` or `false` belongs", shown(cell)).into()),
        },
        _ => Ok(cell.into()),
    }
}

/// Whether the object is one prompt, as opposed to a map whose keys are categories.
pub(super) fn is_prompt(source: &Map<String, Value>, mapping: &Mapping) -> bool {
    let (body, _) = pick(source, mapping);
    let is_named = body.get("name").is_some_and(|name| !name.is_object());
    is_named && (body.contains_key("content") || body.contains_key("messages"))
}

/// Whether a usual name of a field stands for another one in this file.
pub(super) fn is_taken(field: &str, mapping: &Mapping) -> bool {
    !MAPPED.contains(&field) && MAPPED.iter().any(|other| mapping.chosen(other) == Some(field))
}

/// Gives the body the category and the tags it lacks, and looks whether its fields hold what they can.
pub(super) fn finish(mut body: Map<String, Value>, mapping: &Mapping) -> Result<Map<String, Value>, Unreadable> {
    let has_category = match body.get("category") {
        None => false,
        Some(Value::String(category)) => !category.trim().is_empty(),
        Some(_) => true,
    };
    if !has_category {
        body.insert("category".to_owned(), mapping.default_category.clone().into());
    }
    let mut tags = match body.get("tags") {
        None => Vec::new(),
        Some(Value::String(cell)) => split(cell)?,
        Some(Value::Array(tags)) => tags.clone(),
        Some(other) => return Err(misplaced(other, "tags", "a list of texts")),
    };
    for tag in &mapping.tag {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.as_str().into());
        }
    }
    if tags.is_empty() {
        body.shift_remove("tags");
    } else {
        body.insert("tags".to_owned(), tags.into());
    }
    body.iter().try_for_each(|(field, value)| check(field, value))?;
    Ok(body)
}

/// What kind of value it is, for a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value of another kind is named with what stands in the file; what the right kind may say is for others to judge.
fn check(field: &str, value: &Value) -> Result<(), Unreadable> {
    match (field, value) {
        ("messages", Value::Array(_))
        | ("input_schema" | "config", Value::Object(_))
        | ("is_template", Value::Bool(_)) => Ok(()),
        ("messages", other) => Err(misplaced(other, field, "a list of messages")),
        ("input_schema" | "config", other) => Err(misplaced(other, field, "an object")),
        ("is_template", other) => Err(misplaced(other, field, "`true` or `false`")),
        ("tags" | "variables", Value::Array(texts)) => match texts.iter().find(|it| !it.is_string()) {
            None => Ok(()),
            Some(other) => Err(misplaced(other, field, "texts")),
        },
        ("tags" | "variables", other) => Err(misplaced(other, field, "a list of texts")),
        (_, Value::String(_)) => Ok(()),
        (_, other) => Err(misplaced(other, field, "a text")),
    }
}

fn misplaced(value: &Value, field: &str, wanted: &str) -> Unreadable {
    let found = match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        Value::Null => "nothing".to_owned(),
        plain => shown(&plain.to_string()),
    };
    let quotes = match (wanted, value) {
        ("a text" | "texts", Value::Bool(_) | Value::Number(_)) => "; in quotes it is one",
        _ => "",
    };
    let verb = if wanted == "texts" { "belong" } else { "belongs" };
    format!("has {found} in `{field}`, where {wanted} {verb}{quotes}").into()
}

fn complete(body: Map<String, Value>, mapping: &Mapping) -> Result<Map<String, Value>, Unreadable> {
    must_have_text(&body, mapping)?;
    finish(body, mapping)
}

/// Refuses a body without `content` and `messages`: the column that was asked for is missing.
fn must_have_text(body: &Map<String, Value>, mapping: &Mapping) -> Result<(), Unreadable> {
    if body.contains_key("content") || body.contains_key("messages") {
        return Ok(());
    }
    Err(missing("content", mapping).into())
}

/// The fields the API knows, under its names for them, and the keys that are left. A null is left out: it says no more than
/// absence does.
fn pick(source: &Map<String, Value>, mapping: &Mapping) -> (Map<String, Value>, Vec<String>) {
    let there = |column: &str| source.get(column).filter(|value| !value.is_null());
    let (mut body, mut used) = (Map::new(), Vec::new());
    for field in FIELDS {
        let mut columns = mapping.columns(field);
        if field == "content" && mapping.content.is_none() && there("messages").is_some() {
            // A prompt of messages may well have a `text` of some other meaning beside them.
            columns.truncate(1);
        }
        if is_taken(field, mapping) {
            continue;
        }
        if let Some((column, value)) = columns.into_iter().find_map(|column| Some((column, there(column)?))) {
            body.insert(field.to_owned(), value.clone());
            used.push(column);
        }
    }
    let rest = source.iter().filter(|(key, value)| !value.is_null() && !used.contains(&key.as_str()));
    let rest = rest.map(|(key, _)| key.clone()).collect();
    (body, rest)
}

/// What is left behind of an object: what a store said of a prompt of its own, and, if it is to be so, what nobody knows.
fn leave(source: &Map<String, Value>, rest: &[String], mapping: &Mapping) -> Result<Vec<String>, Unreadable> {
    let is_answer = source.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with("prm_"));
    let is_known = |key: &str| is_answer && source.contains_key("revision") && ANSWERED.contains(&key);
    let strange: Vec<&str> = rest.iter().map(String::as_str).filter(|key| !is_known(key)).collect();
    if !strange.is_empty() && !mapping.ignore_unknown {
        return Err(Unreadable { code: "unknown-field", why: format!("has {}", unknown(&strange, "key")) });
    }
    Ok(rest.iter().map(|key| shown(key)).collect())
}

fn missing(field: &str, mapping: &Mapping) -> String {
    match mapping.chosen(field) {
        Some(column) => format!("has no {}, which is to be its {field}", shown(column)),
        None => format!("has no {field}: none of {}", all_shown(mapping.columns(field))),
    }
}

/// The tags in a cell, without the empty ones and each once.
fn split(cell: &str) -> Result<Vec<Value>, Unreadable> {
    let cell = cell.trim();
    let found: Vec<String> = if cell.starts_with('[') {
        serde_json::from_str(cell).map_err(|_| "has tags that begin with `[` but are not a JSON array of texts")?
    } else {
        cell.split([';', ',']).map(|tag| tag.trim().to_owned()).collect()
    };
    let mut tags: Vec<Value> = Vec::new();
    for tag in found {
        if !tag.is_empty() && !tags.iter().any(|known| *known == tag) {
            tags.push(tag.into());
        }
    }
    Ok(tags)
}
