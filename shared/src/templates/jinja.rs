//! The Jinja2 engine: what runs a template that the [sandbox](super::sandbox) let through, and how it is stopped.
//!
//! A template of up to 64 KiB with up to 1 MiB of values gets 250 ms, 64 MiB of memory and 1 MiB of output, and nothing
//! else: no file, no other template, no clock, no environment. Four things together keep that, because a running thread
//! cannot be killed from outside:
//!
//! - Fuel counts instructions, items and bytes. It bounds everything whose cost it counts, and the memory that strings
//!   take: one fuel pays for 64 bytes, so all the strings a render makes are at most 13 MiB. (Some operations are
//!   charged only for their result, once it is made: what the weights allow, six times over if it is all escapes.)
//! - [Weights](super::weighed) bound what fuel does not count: how long one operation can take on one value.
//! - A [guard](GUARD) around every operation that can be slow looks at the clock in between. So a render that is out
//!   of time ends after at most one more operation, which the weights keep to some tens of milliseconds.
//! - The caller waits no longer than the deadline in any case. Renders have [threads](crate::computing) of their own, one for
//!   each processor, that give way to those which answer; so many that are just ending keep nobody else waiting.
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use minijinja::machinery::{CodeGenerator, eval, make_string_output};
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};

use super::allowed::MAX_JSON_INDENT;
use super::bind::Bound;
use super::demand::Demands;
use super::fill::{Allowance, Unfilled};
use super::model::Fault;
use super::sandbox::{self, GUARD};
use super::weighed::{MAX_WEIGHT, from_json, weigh, weight_of};
use super::{conversions, order};
use crate::{computing, error::Error as DomainError};

/// How long the renders of a prompt may take. Tests give more, so that a busy machine does not decide how they end.
const TIME: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_millis(180) };

/// How long it waits to begin. The rest of the 250 ms is for parsing it, and for ending it.
const WAIT: Duration = Duration::from_millis(50);

/// How much fuel a render gets. Looping over 2,000 documents and printing three fields of each takes about 64,000.
const FUEL: u64 = 200_000;

/// How deep macros may call each other, times four. Each call takes some KiB of a stack of 2 MiB.
const RECURSION: usize = 80;

/// The most items of a `range`.
const MAX_RANGE: usize = 10_000;

/// A template that the sandbox let through. It is compiled on each render, which takes less than the render does.
#[derive(Clone, Debug)]
pub(super) struct Jinja {
    text: Arc<str>,
}

impl Jinja {
    /// Checks a template and finds what it asks of its variables.
    pub(super) fn parse(text: &str) -> Result<(Self, Demands), Fault> {
        let program = sandbox::check(text)?;
        Ok((Self { text: text.into() }, program.demands))
    }

    /// Renders the template. A variable that is absent because the schema allows it prints nothing and is false; any other
    /// name or attribute that is not there may be asked for (`is defined`, `default`, `if`), and is a fault where it is
    /// printed or used.
    pub(super) async fn fill(&self, bound: &Bound, allowance: &mut Allowance) -> Result<String, Unfilled> {
        let values = context(bound)?;
        let text = Arc::clone(&self.text);
        let place = timeout(WAIT, computing::place()).await.unwrap_or_else(|late| Err(busy(late)))?;
        let deadline = *allowance.ends.get_or_insert_with(|| Instant::now() + TIME);
        let render = computing::spawn(place, move || render(&text, values, deadline));
        let rendered = timeout_at(deadline, render)
            .await
            .map_err(|_| Fault::limit(format!("the template takes more than {} ms", TIME.as_millis())))?;
        let rendered = rendered.unwrap_or_else(|_| {
            Err(Fault { code: Fault::RENDER, line: 1, column: 1, detail: "the engine failed on the template".into() })
        })?;
        allowance.take(rendered.len())?;
        Ok(rendered)
    }
}

/// Others are rendered at this moment, which is not the template's fault.
fn busy(late: Elapsed) -> DomainError {
    let detail = "too many templates are being filled; try again in a moment";
    DomainError::Unavailable { code: "overloaded", detail, source: late.into() }
}

/// The values as the engine's own.
fn context(bound: &Bound) -> Result<Value, Fault> {
    let pairs = bound.values.iter().map(|(name, value)| Ok((name.as_str(), from_json(value)?)));
    let mut pairs = pairs.collect::<Result<Vec<_>, Error>>().map_err(|error| fault("", &error))?;
    let nothing = nothing();
    pairs.extend(bound.absent.iter().map(|name| (name.as_str(), nothing.clone())));
    let weight: usize = pairs.iter().map(|(_, value)| weight_of(value)).sum();
    if weight > MAX_WEIGHT {
        return Err(Fault::limit("the values hold more than is allowed"));
    }
    Ok(Value::from_pairs(pairs))
}

/// What is not there, and prints nothing: what the engine makes of a choice without an `else`.
fn nothing() -> Value {
    let choice = Environment::empty().compile_expression("1 if false").and_then(|choice| choice.eval(()));
    choice.unwrap_or(Value::UNDEFINED)
}

/// Compiles and runs the template on this thread.
fn render(text: &str, values: Value, deadline: Instant) -> Result<String, Fault> {
    let program = sandbox::check(text)?;
    let mut generator = CodeGenerator::new("template", text);
    generator.compile_stmt(&program.statement);
    let (instructions, blocks) = generator.finish();
    let env = environment(deadline);
    let mut output = String::new();
    let result = eval(&env, &instructions, values, &blocks, &mut make_string_output(&mut output), AutoEscape::None);
    result.map_err(|error| fault(text, &error))?;
    Ok(output)
}

fn environment<'e>(deadline: Instant) -> Environment<'e> {
    let mut env = Environment::new();
    for (name, _) in Environment::<'static>::new().globals() {
        env.remove_global(name);
    }
    conversions::install(&mut env);
    order::install(&mut env);
    env.add_function("range", range);
    env.add_filter("tojson", to_json);
    env.add_filter(GUARD, move |state: &State, value: Value| {
        if Instant::now() > deadline {
            return Err(Error::new(ErrorKind::OutOfFuel, "the template takes too long"));
        }
        weigh(state, value)
    });
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(RECURSION);
    env.set_debug(true); // Or faults would not say which name is undefined, nor in which column.
    env
}

/// `range(end)`, `range(first, end)` and `range(first, end, step)`.
fn range(first: i64, end: Option<i64>, step: Option<i64>) -> Result<Vec<i64>, Error> {
    let (first, end) = end.map_or((0, first), |end| (first, end));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "the step of a range cannot be 0"));
    }
    let within = |item: &i64| if step > 0 { *item < end } else { *item > end };
    let items = std::iter::successors(Some(first), |item| item.checked_add(step)).take_while(within);
    let items: Vec<i64> = items.take(MAX_RANGE + 1).collect();
    if items.len() > MAX_RANGE {
        return Err(Error::new(ErrorKind::OutOfFuel, format!("a range has at most {MAX_RANGE} items")));
    }
    Ok(items)
}

/// `value|tojson`, `value|tojson(2)`. The engine's own is for HTML and writes `<` as `\u003c`; a prompt is no HTML.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands the options over")]
fn to_json(value: &Value, indent: Option<usize>, options: Kwargs) -> Result<String, Error> {
    let indent = indent.or(options.get("indent")?);
    options.assert_all_used()?;
    let mut json = Vec::new();
    let written = match indent.map(|indent| " ".repeat(indent.min(MAX_JSON_INDENT))) {
        None => value.serialize(&mut Serializer::with_formatter(&mut json, Spaced)),
        Some(indent) => {
            let pretty = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut json, pretty))
        }
    };
    let unfit = |error: String| Error::new(ErrorKind::BadSerialization, error);
    written.map_err(|error| unfit(error.to_string()))?;
    String::from_utf8(json).map_err(|error| unfit(error.to_string()))
}

/// JSON on one line, spaced as Jinja2 spaces it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

/// The engine's error as a fault of the template.
fn fault(text: &str, error: &Error) -> Fault {
    let described = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    // Errors can quote values, which can be long.
    let detail: String = described.chars().take(300).collect();
    let is_limit = error.kind() == ErrorKind::OutOfFuel || detail.contains("recursion limit");
    let (code, detail) = match (is_limit, error.detail()) {
        (true, None) => (Fault::LIMIT, "the template does more work than is allowed".to_owned()),
        (true, Some(_)) => (Fault::LIMIT, detail),
        (false, _) => (Fault::RENDER, detail),
    };
    Fault::at(text, error.range().map_or(0, |range| range.start), code, detail)
}
