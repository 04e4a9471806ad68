//! Lists and maps that know how much they hold, so that no single operation of a template can be asked for much.
//!
//! A template can build a value that is small in memory and vast when walked: with `{% set a = [a, a] %}` thirty times
//! over, a print or a comparison visits a billion items, and with lazy lists such as `[0] * 100000000` even one line
//! does. Neither fuel nor a clock is looked at inside of such an operation. So every list or map a template sees is
//! [`Weighed`]: fully made, its items paid for with fuel, and of a weight and depth that were checked as it was made.
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::conversions::write_repr;
use super::python;

/// The largest weight of a value, all that hangs off it counted each time it appears. About the bytes it takes.
pub(super) const MAX_WEIGHT: usize = 4 * 1024 * 1024;

/// How deep lists and maps may nest. The engine walks them by recursion, on a stack of 2 MiB.
const MAX_DEPTH: usize = 32;

/// What any value weighs, beyond its text.
const VALUE_WEIGHT: usize = 24;

/// What a list or map weighs, beyond its items.
const CONTAINER_WEIGHT: usize = 128;

/// A list or map with its weight.
pub(super) struct Weighed {
    /// A list or map of the engine's own, whose items are text, numbers and the like, or weighed.
    plain: DynObject,
    weight: usize,
    depth: usize,
    /// Is it printed in parentheses?
    is_tuple: bool,
}

impl Weighed {
    /// A list of values that [`weigh`] or [`from_json`] made.
    fn list(items: Vec<Value>, is_tuple: bool) -> Result<Value, Error> {
        let (weight, depth) = measure(&items)?;
        Ok(Self::around(&Value::from(items), weight, depth, is_tuple))
    }

    /// A map of values that [`weigh`] or [`from_json`] made.
    fn map(pairs: Vec<(Value, Value)>) -> Result<Value, Error> {
        let (weight, depth) = measure(pairs.iter().flat_map(|(key, value)| [key, value]))?;
        Ok(Self::around(&Value::from_pairs(pairs), weight, depth, false))
    }

    fn around(plain: &Value, weight: usize, depth: usize, is_tuple: bool) -> Value {
        let plain = plain.as_object().expect("a list or map was just made").clone();
        Value::from_object(Self { plain, weight, depth, is_tuple })
    }
}

/// The weight and depth of a list or map with these items.
fn measure<'v>(items: impl IntoIterator<Item = &'v Value>) -> Result<(usize, usize), Error> {
    let (mut weight, mut depth) = (CONTAINER_WEIGHT, 1);
    for item in items {
        weight = weight.saturating_add(weight_of(item));
        depth = depth.max(item.downcast_object_ref::<Weighed>().map_or(0, |inner| inner.depth + 1));
    }
    if weight > MAX_WEIGHT {
        return Err(Error::new(ErrorKind::OutOfFuel, "a list or map holds more than is allowed"));
    }
    if depth > MAX_DEPTH {
        let detail = format!("lists and maps are nested more than {MAX_DEPTH} deep");
        return Err(Error::new(ErrorKind::OutOfFuel, detail));
    }
    Ok((weight, depth))
}

/// What a value weighs, in about bytes.
pub(super) fn weight_of(value: &Value) -> usize {
    match value.downcast_object_ref::<Weighed>() {
        Some(weighed) => weighed.weight,
        None => VALUE_WEIGHT + value.as_str().map_or(0, str::len),
    }
}

/// The value with every list and map in it weighed, each item of a new one paid for with one fuel.
pub(super) fn weigh(state: &State, value: Value) -> Result<Value, Error> {
    let Some(object) = value.as_object() else { return Ok(value) };
    if value.downcast_object_ref::<Weighed>().is_some() {
        return Ok(value);
    }
    match object.repr() {
        ObjectRepr::Seq | ObjectRepr::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()?.checked() {
                state.consume_fuel(1)?;
                items.push(weigh(state, item?)?);
            }
            Weighed::list(items, value.is_tuple())
        }
        ObjectRepr::Map => {
            let mut pairs = Vec::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                state.consume_fuel(2)?;
                let item = weigh(state, value.get_item(&key)?)?;
                pairs.push((weigh(state, key)?, item));
            }
            Weighed::map(pairs)
        }
        _ => Ok(value),
    }
}

/// The value as the engine knows it, with every list and map weighed.
pub(super) fn from_json(value: &serde_json::Value) -> Result<Value, Error> {
    use serde_json::Value as Json;
    match value {
        Json::Null => Ok(Value::from(())),
        Json::Bool(truth) => Ok(Value::from(*truth)),
        Json::Number(number) if python::is_integer(number) => {
            let too_large = || Error::new(ErrorKind::InvalidOperation, format!("{number} is too large for jinja2"));
            number.to_string().parse::<i128>().map(Value::from).map_err(|_| too_large())
        }
        Json::Number(number) => Ok(Value::from(number.as_f64())),
        Json::String(text) => Ok(Value::from(text.as_str())),
        Json::Array(items) => Weighed::list(items.iter().map(from_json).collect::<Result<_, _>>()?, false),
        Json::Object(items) => {
            let pairs = items.iter().map(|(name, item)| Ok((Value::from(name.as_str()), from_json(item)?)));
            Weighed::map(pairs.collect::<Result<_, Error>>()?)
        }
    }
}

/// Everything but how it is printed is the plain list or map's own: being weighed does not show.
impl Object for Weighed {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        self.plain.repr()
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.plain.get_value(key)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.plain.get_value_by_str(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.plain.enumerate()
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.plain.enumerator_len()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = String::new();
        let (open, close) = match (self.repr(), self.is_tuple) {
            (ObjectRepr::Map, _) => ('{', '}'),
            (_, true) => ('(', ')'),
            (_, false) => ('[', ']'),
        };
        written.push(open);
        for (index, item) in self.plain.try_iter().into_iter().flatten().enumerate() {
            written.push_str(if index > 0 { ", " } else { "" });
            write_repr(&item, &mut written);
            if open == '{' {
                written.push_str(": ");
                write_repr(&self.plain.get_value(&item).unwrap_or_default(), &mut written);
            }
        }
        written.push_str(if self.is_tuple && self.enumerator_len() == Some(1) { "," } else { "" });
        written.push(close);
        f.write_str(&written)
    }
}

impl fmt::Debug for Weighed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.plain, f)
    }
}
