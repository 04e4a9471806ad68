//! Makes the body of `POST /prompts` out of one object of a file: renames what the mapping names, drops what the API
//! does not know, and fills in the category and the tags.

use serde_json::{Map, Value};

use super::{FIELDS, MAPPED, Mapping, all_shown, shown};

/// The body of a prompt that is an object of its own.
pub(super) fn from_value(value: &Value, mapping: &Mapping) -> Result<Map<String, Value>, String> {
    let Value::Object(source) = value else {
        return Err(format!("is {}, not an object", kind(value)));
    };
    let body = pick(source, mapping);
    if !body.contains_key("name") {
        return Err(missing("name", mapping));
    }
    complete(body, mapping)
}

/// The body of a prompt that stands under its category and its name: its text, or an object with the rest.
pub(super) fn from_entry(
    category: String,
    name: String,
    value: &Value,
    mapping: &Mapping,
) -> Result<Map<String, Value>, String> {
    let place = format!("{} / {}", shown(&category), shown(&name));
    let mut body = Map::from_iter([("category".to_owned(), category.into()), ("name".to_owned(), name.into())]);
    match value {
        Value::String(_) => {
            body.insert("content".to_owned(), value.clone());
        }
        Value::Object(source) => {
            // The place in the file decides what a prompt is called, so a `name` further inside does not.
            body.extend(pick(source, mapping).into_iter().filter(|(field, _)| field != "category" && field != "name"));
        }
        other => return Err(format!("{place} is {}, neither a text nor an object", kind(other))),
    }
    complete(body, mapping).map_err(|why| format!("{place} {why}"))
}

/// Whether the object is one prompt, as opposed to a map whose keys are categories.
pub(super) fn is_prompt(source: &Map<String, Value>, mapping: &Mapping) -> bool {
    let body = pick(source, mapping);
    body.get("name").is_some_and(Value::is_string) && (body.contains_key("content") || body.contains_key("messages"))
}

/// Gives the body the category and the tags it lacks.
pub(super) fn finish(mut body: Map<String, Value>, mapping: &Mapping) -> Result<Map<String, Value>, String> {
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
        // Whatever else it is, the validation names it better than a guess here would.
        Some(_) => return Ok(body),
    };
    for tag in &mapping.tag {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.as_str().into());
        }
    }
    if tags.is_empty() {
        body.remove("tags");
    } else {
        body.insert("tags".to_owned(), tags.into());
    }
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

fn complete(body: Map<String, Value>, mapping: &Mapping) -> Result<Map<String, Value>, String> {
    if !body.contains_key("content") && !body.contains_key("messages") {
        return Err(missing("content", mapping));
    }
    finish(body, mapping)
}

/// The fields the API knows, under its names for them. A null is left out: it says no more than absence does.
fn pick(source: &Map<String, Value>, mapping: &Mapping) -> Map<String, Value> {
    let there = |column: &&str| source.get(*column).filter(|value| !value.is_null());
    let mut body = Map::new();
    for field in FIELDS {
        let mut columns = mapping.columns(field);
        if field == "content" && mapping.content.is_none() && there(&"messages").is_some() {
            // A prompt of messages may well have a `text` of some other meaning beside them.
            columns.truncate(1);
        }
        let is_taken = !MAPPED.contains(&field) && MAPPED.iter().any(|other| mapping.chosen(other) == Some(field));
        if is_taken {
            continue;
        }
        if let Some(value) = columns.iter().find_map(there) {
            body.insert(field.to_owned(), value.clone());
        }
    }
    body
}

fn missing(field: &str, mapping: &Mapping) -> String {
    match mapping.chosen(field) {
        Some(column) => format!("has no {}, which is to be its {field}", shown(column)),
        None => format!("has no {field}: none of {}", all_shown(mapping.columns(field))),
    }
}

/// The tags in a cell, without the empty ones and each once.
fn split(cell: &str) -> Result<Vec<Value>, String> {
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
