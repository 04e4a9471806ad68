//! Typed binding: which value each variable of a template gets, and what is missing, unused or of the wrong type.
use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::demand::{Demand, Demands};
use super::model::{InputSchema, VariableType, escape_pointer};
use crate::{
    error::{Error, Violation},
    numbers,
};

/// The largest value, in bytes: of the text itself for strings, of the JSON for everything else.
const MAX_VALUE: usize = 256 * 1024;

/// All values together, in bytes.
const MAX_VALUES: usize = 1024 * 1024;

/// What the caller gave.
#[derive(Clone, Debug)]
pub enum Given {
    /// JSON, which has types.
    Json(Map<String, Value>),
    /// A query string, which is all text and read as the type the schema declares. Of a repeated name the last counts.
    Query(Vec<(String, String)>),
    /// The same, from whoever expects that a name without a value is left as it stands, as the first version did. Only the
    /// formats that know nothing but names can do that.
    Partial(Vec<(String, String)>),
}

/// Nothing.
impl Default for Given {
    fn default() -> Self {
        Self::Json(Map::new())
    }
}

impl Given {
    /// The values that are texts, by name.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        match self {
            Self::Json(values) => values.iter().filter_map(text).collect(),
            Self::Query(values) | Self::Partial(values) => values.iter().cloned().collect(),
        }
    }
}

/// The variables of a template against what the caller gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    /// A value for every variable, except for optional ones that have none.
    pub values: Map<String, Value>,
    /// The variables without a value that are optional because the schema says so.
    pub absent: HashSet<String>,
    /// The variables without a value that are left as they stand.
    pub left: HashSet<String>,
    /// The names that were given and that the template does not have, in the order given.
    pub unused: Vec<String>,
}

/// Gives every variable its value: the caller's, else the default of the schema.
///
/// A variable is optional if the schema says so, or has a default, or if the template knows what to do without it. One that
/// is not must have a value, and `null` is none: no format prints it by mistake. An optional one may be `null`.
///
/// # Errors
/// [`Error::Invalid`]: `missing-variables` where required ones have no value, else `validation-failed` with every value
/// that is of the wrong type (`wrong-type`) or longer than 256 KiB, 1 MiB all together (`too-long`).
pub fn bind(demands: &Demands, schema: &InputSchema, given: Given) -> Result<Bound, Error> {
    let mut violations = Vec::new();
    let is_partial = matches!(given, Given::Partial(_));
    let mut given = typed(schema, given, &mut violations);
    let unused = given.keys().filter(|name| demands.of(name).is_none()).cloned().collect();

    let mut values = Map::new();
    let (mut absent, mut left) = (HashSet::new(), HashSet::new());
    let mut missing = Vec::new();
    for name in demands.names() {
        let spec = schema.get(name);
        let Demand { required, nullable } = demands.of(name).unwrap_or(Demand { required: true, nullable: false });
        let is_optional = !required || spec.is_some_and(|spec| !spec.required || spec.default.is_some());
        let value = given.swap_remove(name).or_else(|| spec.and_then(|spec| spec.default.clone()));
        let Some(mut value) = value else {
            if is_partial {
                left.insert(name.clone());
            } else if spec.is_some_and(|spec| !spec.required) {
                absent.insert(name.clone());
            } else if !is_optional {
                missing.push((name.as_str(), "has no value"));
            }
            continue;
        };
        let is_typed = spec.is_some_and(|spec| spec.kind.is_some());
        if value.is_null() && !is_optional && !nullable && !is_typed {
            missing.push((
                name.as_str(),
                "is null, which is no value; declare it with `\"required\": false` if it may be",
            ));
            continue;
        }
        if let Some(kind) = spec.and_then(|spec| spec.kind) {
            if !kind.admits(&value) {
                violations.push(violation(name, "wrong-type", format!("`{name}` must be {kind}")));
            } else if let (VariableType::Integer, Value::Number(number)) = (kind, &mut value) {
                *number = numbers::whole(number).unwrap_or_else(|| number.clone());
            }
        }
        values.insert(name.clone(), value);
    }
    if !missing.is_empty() {
        return Err(no_values(&missing));
    }
    check_sizes(&values, &mut violations);
    if violations.is_empty() {
        Ok(Bound { values, absent, left, unused })
    } else {
        Err(Error::from_violations(violations))
    }
}

/// The given values, each with the type that the schema declares where text can be read as that.
///
/// One whose number cannot be kept as it is written is a violation, as it is in JSON.
fn typed(schema: &InputSchema, given: Given, violations: &mut Vec<Violation>) -> Map<String, Value> {
    match given {
        Given::Json(values) => values,
        Given::Query(pairs) | Given::Partial(pairs) => pairs
            .into_iter()
            .map(|(name, text)| {
                let kind = schema.get(&name).and_then(|spec| spec.kind);
                let value = from_text(kind, &text);
                if let Some(inexact) = value.as_ref().and_then(|_| numbers::first_inexact(text.as_bytes())) {
                    violations.push(violation(&name, numbers::INEXACT, numbers::detail(&inexact.number)));
                }
                (name, value.unwrap_or(Value::String(text)))
            })
            .collect(),
    }
}

/// Text that cannot be read as the type stays text, and is refused as such later.
fn from_text(kind: Option<VariableType>, text: &str) -> Option<Value> {
    match kind {
        None | Some(VariableType::String) => None,
        Some(_) => serde_json::from_str(text).ok(),
    }
}

/// Names that have no value where one is needed.
pub(super) fn missing_variables(names: &[&str]) -> Error {
    no_values(&names.iter().map(|name| (*name, "has no value")).collect::<Vec<_>>())
}

fn no_values(missing: &[(&str, &str)]) -> Error {
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    Error::Invalid {
        code: "missing-variables",
        detail: format!("no value for: {}", names.join(", ")),
        violations: missing
            .iter()
            .map(|(name, why)| violation(name, "missing-variable", format!("`{name}` {why}")))
            .collect(),
    }
}

fn check_sizes(values: &Map<String, Value>, violations: &mut Vec<Violation>) {
    let mut total = 0;
    for (name, value) in values {
        let size = match value {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        };
        total += size;
        if size > MAX_VALUE {
            violations.push(violation(name, "too-long", format!("`{name}` is {size} bytes; at most {MAX_VALUE} fit")));
        }
    }
    if total > MAX_VALUES {
        let detail = format!("the values are {total} bytes together; at most {MAX_VALUES} fit");
        violations.push(Violation::new("/variables", "too-long", detail));
    }
}

fn violation(name: &str, code: &'static str, detail: String) -> Violation {
    Violation::new(format!("/variables/{}", escape_pointer(name)), code, detail)
}
