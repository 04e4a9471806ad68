//! Comparisons of Jinja2 as Python makes them: what has no order is refused, and not put into one.
use std::cmp::Ordering;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

/// The names of the comparing operators, which no template can say.
pub(super) const LESS: &str = "+lt";
pub(super) const LESS_OR_EQUAL: &str = "+le";
pub(super) const GREATER: &str = "+gt";
pub(super) const GREATER_OR_EQUAL: &str = "+ge";
pub(super) const IN: &str = "+in";

/// Makes the engine compare like Python.
pub(super) fn install(env: &mut Environment<'_>) {
    type Holds = fn(Ordering) -> bool;
    let comparisons: [(&str, &[&str], Holds); 4] = [
        (LESS, &["<", "lt", "lessthan"], Ordering::is_lt),
        (LESS_OR_EQUAL, &["<=", "le"], Ordering::is_le),
        (GREATER, &[">", "gt", "greaterthan"], Ordering::is_gt),
        (GREATER_OR_EQUAL, &[">=", "ge"], Ordering::is_ge),
    ];
    for (filter, tests, holds) in comparisons {
        env.add_filter(filter, move |one: Value, other: Value, name: &str| {
            compare(&one, &other).map(holds).map_err(|unlike| unlike.into_error(name))
        });
        for test in tests {
            env.add_test(*test, move |one: Value, other: Value| {
                compare(&one, &other).map(holds).map_err(|unlike| unlike.into_error(""))
            });
        }
    }
    env.add_filter(IN, |state: &State, item: Value, container: Value, name: &str| {
        contains(state, &container, &item, name)
    });
    env.add_test("in", |state: &State, item: Value, container: Value| contains(state, &container, &item, ""));
    env.add_filter("sort", sort);
    env.add_filter("min", |state: &mut State, value: &Value, case_sensitive: bool, attribute: &Value| {
        extreme(state, value, case_sensitive, attribute, Ordering::Less)
    });
    env.add_filter("max", |state: &mut State, value: &Value, case_sensitive: bool, attribute: &Value| {
        extreme(state, value, case_sensitive, attribute, Ordering::Greater)
    });
}

/// Two values that have no order.
pub(super) struct Unlike(&'static str, &'static str);

impl Unlike {
    /// With what to do about it; `name` is the variable that is compared, if it is one.
    fn into_error(self, name: &str) -> Error {
        let Self(one, other) = self;
        let remedy = match (name, one, other) {
            ("", "a text", "a number") | ("", "a number", "a text") => {
                "; convert the text (`|int`, `|float`), or declare its variable as an integer or a number".to_owned()
            }
            (_, "a text", "a number") | (_, "a number", "a text") => {
                format!("; declare `{name}` as an integer or a number in `input_schema`")
            }
            _ => String::new(),
        };
        Error::new(ErrorKind::InvalidOperation, format!("{one} cannot be compared with {other}{remedy}"))
    }
}

/// What a value is called.
fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "what is not there",
        ValueKind::None => "none",
        ValueKind::Bool | ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Map => "a map",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        _ => "this value",
    }
}

/// The order of two values: of numbers and booleans, of texts, and of lists by their first difference.
pub(super) fn compare(one: &Value, other: &Value) -> Result<Ordering, Unlike> {
    let kinds = (kind(one), kind(other));
    match kinds {
        ("a number", "a number") | ("a text", "a text") => Ok(one.cmp(other)),
        ("a list", "a list") => {
            let (Ok(mut ours), Ok(mut others)) = (one.try_iter(), other.try_iter()) else {
                return Err(Unlike(kinds.0, kinds.1));
            };
            loop {
                match (ours.next(), others.next()) {
                    (Some(ours), Some(others)) if ours == others => {}
                    (Some(ours), Some(others)) => return compare(&ours, &others),
                    (ours, others) => return Ok(ours.is_some().cmp(&others.is_some())),
                }
            }
        }
        (one, other) => Err(Unlike(one, other)),
    }
}

/// `item in container`. Only a text can be in a text.
fn contains(state: &State, container: &Value, item: &Value, name: &str) -> Result<bool, Error> {
    match container.kind() {
        ValueKind::Undefined => Ok(false),
        ValueKind::String => {
            let (text, Some(part)) = (container.as_str().unwrap_or_default(), item.as_str()) else {
                let of = if name.is_empty() { String::new() } else { format!("; `{name}` is {}", kind(item)) };
                let detail = format!("only a text can be in a text, and not {}{of}", kind(item));
                return Err(Error::new(ErrorKind::InvalidOperation, detail));
            };
            state.consume_fuel(text.len() as u64 / 64)?;
            Ok(text.contains(part))
        }
        ValueKind::Map => Ok(!container.get_item(item)?.is_undefined()),
        ValueKind::Seq | ValueKind::Iterable => {
            for other in container.try_iter()? {
                state.consume_fuel(1)?;
                if other == *item {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(Error::new(ErrorKind::InvalidOperation, format!("nothing can be in {}", kind(container)))),
    }
}

fn sort(
    state: &mut State,
    value: &Value,
    reverse: bool,
    case_sensitive: bool,
    attribute: &Value,
) -> Result<Value, Error> {
    let mut keyed = keyed(state, value, case_sensitive, attribute)?;
    let count = keyed.len() as u64;
    state.consume_fuel(count * u64::from(count.checked_ilog2().unwrap_or_default()) / 4)?;
    keyed.sort_by(|(one, _), (other, _)| if reverse { other.cmp(one) } else { one.cmp(other) });
    Ok(Value::from(keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>()))
}

/// The first of the smallest, or of the largest.
fn extreme(
    state: &mut State,
    value: &Value,
    case_sensitive: bool,
    attribute: &Value,
    wanted: Ordering,
) -> Result<Value, Error> {
    let keyed = keyed(state, value, case_sensitive, attribute)?;
    let better = |best: (Value, Value), next: (Value, Value)| if next.0.cmp(&best.0) == wanted { next } else { best };
    Ok(keyed.into_iter().reduce(better).map_or(Value::UNDEFINED, |(_, item)| item))
}

/// The items with what they are compared by, all of which have one order.
fn keyed(
    state: &mut State,
    value: &Value,
    case_sensitive: bool,
    attribute: &Value,
) -> Result<Vec<(Value, Value)>, Error> {
    if value.is_undefined() {
        state.format(value.clone())?; // Says so, unless it may be absent.
    }
    let mut keyed: Vec<(Value, Value)> = Vec::new();
    for item in value.try_iter()? {
        state.consume_fuel(1)?;
        let key = key(&item, case_sensitive, attribute)?;
        let like = keyed.last().map_or(&key, |(before, _)| before);
        compare(&key, like).map_err(|unlike| unlike.into_error(""))?;
        keyed.push((key, item));
    }
    Ok(keyed)
}

fn key(item: &Value, case_sensitive: bool, attribute: &Value) -> Result<Value, Error> {
    let folded = |value: Value| match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value,
    };
    let Some(attributes) = attribute.as_str() else {
        return match attribute.is_none() {
            true => Ok(folded(item.clone())),
            false => item.get_item(attribute).map(folded),
        };
    };
    let mut keys = attributes.split(',').map(|path| at_path(item, path.trim()).map(&folded));
    match attributes.contains(',') {
        false => keys.next().unwrap_or_else(|| Ok(item.clone())),
        true => keys.collect::<Result<Vec<_>, Error>>().map(Value::from),
    }
}

/// What a dotted name leads to; a number is an index.
pub(super) fn at_path(item: &Value, path: &str) -> Result<Value, Error> {
    path.split('.').try_fold(item.clone(), |value, part| match part.parse::<i64>() {
        Ok(index) => value.get_item(&Value::from(index)),
        Err(_) => value.get_attr(part),
    })
}
