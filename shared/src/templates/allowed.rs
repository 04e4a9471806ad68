//! What a Jinja2 template may call, by the lists of [`signatures`](super::signatures): a call that could never run is refused
//! when the template is read, and every argument of one that can is put where the engine looks for it.
use minijinja::Value;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, Call, CallArg, Expr, Filter, Spanned, Test};

use super::signatures::{APPLYING, FILTERS, MAPPED, Parameter, Signature, TESTS, Unsaid, signature, takes_argument};

/// The longest literal where only a literal will do, in bytes.
const MAX_LITERAL: usize = 100;

/// The widest indent of `tojson`, which every line of deeply nested JSON has many times over.
pub(super) const MAX_JSON_INDENT: usize = 4;

/// An argument of a filter where the engine looks for it: as it stands in the template, or what it is unless said.
pub(super) enum Argument<'a, 't> {
    Given(&'a Expr<'t>),
    Unsaid(Value),
}

/// The arguments of a filter, in order, each with its name where the engine wants that; or why the filter may not be used
/// like that.
pub(super) fn arguments<'a, 't>(
    filter: &'a Filter<'t>,
) -> Result<Vec<(Option<&'static str>, Argument<'a, 't>)>, String> {
    let name = filter.name;
    if APPLYING.contains(&name) {
        return applying(filter);
    }
    let Some(signature) = signature(name) else {
        let names: Vec<_> = FILTERS.iter().map(|filter| filter.name).chain(APPLYING).collect();
        return Err(format!("the filter `{name}` is not allowed; allowed are {}", names.join(", ")));
    };
    let given = slots(signature, &filter.args)?;
    let mut arguments = Vec::with_capacity(given.len());
    for (parameter, given) in signature.parameters.iter().zip(given) {
        let argument = match given {
            Some(expr) => {
                check_argument(name, parameter, expr)?;
                Argument::Given(expr)
            }
            None => match unsaid(parameter.unsaid) {
                Some(value) => Argument::Unsaid(value),
                None => return Err(format!("`{name}` needs the argument `{}`", parameter.name)),
            },
        };
        arguments.push((signature.by_name.then_some(parameter.name), argument));
    }
    Ok(arguments)
}

/// Which argument belongs to which parameter.
fn slots<'a, 't>(signature: &Signature, args: &'a [CallArg<'t>]) -> Result<Vec<Option<&'a Expr<'t>>>, String> {
    let (name, parameters) = (signature.name, signature.parameters);
    let mut given: Vec<Option<&Expr<'_>>> = vec![None; parameters.len()];
    for (position, arg) in args.iter().enumerate() {
        let (slot, expr) = match arg {
            CallArg::Pos(expr) => (Some(position).filter(|at| *at < parameters.len()), expr),
            CallArg::Kwarg(key, expr) => (parameters.iter().position(|it| it.name == *key), expr),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                return Err("`*` and `**` arguments are not allowed".to_owned());
            }
        };
        let Some(slot) = slot.filter(|slot| given[*slot].is_none()) else {
            let what = match arg {
                CallArg::Kwarg(key, _) => format!("no argument `{key}` here"),
                _ => format!("at most {} arguments", parameters.len()),
            };
            let names: Vec<_> = parameters.iter().map(|it| it.name).collect();
            let takes = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(format!("`{name}` takes {what}; its arguments are: {takes}"));
        };
        given[slot] = Some(expr);
    }
    Ok(given)
}

fn check_argument(name: &str, parameter: &Parameter, expr: &Expr<'_>) -> Result<(), String> {
    if parameter.free {
        return Ok(());
    }
    let Some(literal) = literal(expr) else {
        return Err(format!(
            "the argument `{}` of `{name}` must be a literal of at most {MAX_LITERAL} bytes",
            parameter.name
        ));
    };
    let is_count = literal.is_integer() && literal.as_i64().is_some_and(|count| count >= 0);
    let fits = match parameter.name {
        "boolean" | "case_sensitive" | "reverse" | "first" | "blank" => bool::try_from(literal.clone()).is_ok(),
        "attribute" => literal.as_str().is_some() || literal.is_none() || is_count,
        "by" => matches!(literal.as_str(), Some("key" | "value")),
        "method" => matches!(literal.as_str(), Some("common" | "ceil" | "floor")),
        "width" | "base" => is_count,
        "indent" => literal.is_none() || is_count,
        "precision" | "count" | "maxsplit" => literal.is_integer() || literal.is_none(),
        "chars" => literal.as_str().is_some() || literal.is_none(),
        _ => true,
    };
    if !fits {
        return Err(format!("`{name}` cannot do anything with {literal:?} as `{}`", parameter.name));
    }
    let is_deep = literal.as_usize().is_none_or(|indent| indent > MAX_JSON_INDENT);
    if name == "tojson" && !literal.is_none() && is_deep {
        return Err(format!("the indent of `tojson` is at most {MAX_JSON_INDENT}"));
    }
    Ok(())
}

fn unsaid(unsaid: Unsaid) -> Option<Value> {
    Some(match unsaid {
        Unsaid::Required => return None,
        Unsaid::None => Value::from(()),
        Unsaid::False => Value::from(false),
        Unsaid::Zero => Value::from(0),
        Unsaid::Ten => Value::from(10),
        Unsaid::Four => Value::from(4),
        Unsaid::Text(text) => Value::from(text),
    })
}

/// The arguments of a filter that applies another filter, or a test.
fn applying<'a, 't>(filter: &'a Filter<'t>) -> Result<Vec<(Option<&'static str>, Argument<'a, 't>)>, String> {
    let name = filter.name;
    let by_attribute = name.ends_with("attr");
    let mut arguments = Vec::new();
    let mut positions: Vec<&Expr<'_>> = Vec::new();
    for arg in &filter.args {
        match arg {
            CallArg::Pos(expr) => positions.push(expr),
            CallArg::Kwarg(key, expr) if name == "map" && matches!(*key, "attribute" | "default") => {
                if literal(expr).is_none() {
                    return Err(format!(
                        "the argument `{key}` of `map` must be a literal of at most {MAX_LITERAL} bytes"
                    ));
                }
                let key = if *key == "attribute" { "attribute" } else { "default" };
                arguments.push((Some(key), Argument::Given(expr)));
            }
            CallArg::Kwarg(key, _) => return Err(format!("`{name}` takes no argument `{key}`")),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                return Err("`*` and `**` arguments are not allowed".to_owned());
            }
        }
    }
    let named: Vec<_> = arguments.iter().filter_map(|(key, _)| *key).collect();
    if !named.is_empty() && (!positions.is_empty() || !named.contains(&"attribute")) {
        return Err("`map` takes `attribute` and perhaps `default`, or the name of a filter".to_owned());
    }
    let unsaid = if named.is_empty() { check_applied(name, &positions, by_attribute)? } else { Vec::new() };
    arguments.extend(positions.into_iter().map(|expr| (None, Argument::Given(expr))));
    arguments.extend(unsaid.into_iter().map(|value| (None, Argument::Unsaid(value))));
    Ok(arguments)
}

/// The arguments of the applied filter that are not said.
fn check_applied(name: &str, positions: &[&Expr<'_>], by_attribute: bool) -> Result<Vec<Value>, String> {
    let text =
        |at: usize| positions.get(at).and_then(|expr| literal(expr)).and_then(|it| it.as_str().map(str::to_owned));
    if by_attribute && text(0).is_none() {
        return Err(format!("`{name}` needs the name of an attribute, as a literal"));
    }
    let at = usize::from(by_attribute);
    let rest = positions.get(at + 1..).unwrap_or_default();
    let Some(applied) = positions.get(at) else {
        return match name {
            "map" => Err("`map` needs the name of a filter, or `attribute`".to_owned()),
            _ => Ok(Vec::new()),
        };
    };
    let applied = text(at).ok_or_else(|| {
        format!("`{name}` applies what is named by a literal, and `{}` is none", applied.description())
    })?;
    if name == "map" {
        let signature = signature(&applied).filter(|_| MAPPED.contains(&applied.as_str()));
        let Some(signature) = signature else {
            return Err(format!("`map` cannot apply `{applied}`; it can apply {}", MAPPED.join(", ")));
        };
        if rest.len() > signature.parameters.len() {
            return Err(format!("`{applied}` takes at most {} arguments", signature.parameters.len()));
        }
        signature.parameters.iter().zip(rest).try_for_each(|(it, expr)| check_argument(&applied, it, expr))?;
        return Ok(signature.parameters[rest.len()..].iter().filter_map(|it| unsaid(it.unsaid)).collect());
    }
    match takes_argument(&applied) {
        None => {
            let names: Vec<_> = TESTS.iter().map(|(name, _)| *name).collect();
            Err(format!("`{name}` cannot apply `{applied}`; it can apply {}", names.join(", ")))
        }
        Some(takes) if rest.len() == usize::from(takes) => Ok(Vec::new()),
        Some(true) => Err(format!("the test `{applied}` needs one argument")),
        Some(false) => Err(format!("the test `{applied}` takes no argument")),
    }
}

/// Why the test may not be used like that.
pub(super) fn check_test(test: &Test<'_>) -> Result<(), String> {
    let Some(takes) = takes_argument(test.name) else {
        let names: Vec<_> = TESTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("the test `{}` is not allowed; allowed are {}", test.name, names.join(", ")));
    };
    match (test.args.as_slice(), takes) {
        ([], false) | ([CallArg::Pos(_)], true) => Ok(()),
        (_, true) => Err(format!("the test `{}` needs one argument", test.name)),
        (_, false) => Err(format!("the test `{}` takes no argument", test.name)),
    }
}

/// Why the call may not be made. `macros` tells the parameters of the template's own macros.
pub(super) fn check_call(call: &Call<'_>, macros: &[(&str, Vec<&str>)]) -> Result<(), String> {
    let only_positions = call.args.iter().all(|arg| matches!(arg, CallArg::Pos(_)));
    let no_splats = call.args.iter().all(|arg| matches!(arg, CallArg::Pos(_) | CallArg::Kwarg(..)));
    let count = call.args.len();
    let allowed = match &call.expr {
        Expr::Var(name) if macros.iter().any(|(it, _)| *it == name.id) => {
            let fits = |parameters: &[&str]| {
                let is_known = |arg: &CallArg<'_>| match arg {
                    CallArg::Kwarg(key, _) => parameters.contains(key),
                    _ => true,
                };
                count <= parameters.len() && call.args.iter().all(is_known)
            };
            let Some((_, parameters)) = macros.iter().find(|(it, parameters)| *it == name.id && fits(parameters))
            else {
                return Err(format!("the macro `{}` does not take these arguments", name.id));
            };
            no_splats && count <= parameters.len()
        }
        Expr::Var(name) if name.id == "range" => {
            if !(1..=3).contains(&count) {
                return Err("`range` takes one to three numbers".to_owned());
            }
            only_positions
        }
        Expr::GetAttr(method) => match (&method.expr, method.name) {
            // Without an argument the engine would divide by zero.
            (Expr::Var(object), "changed" | "cycle") if object.id == "loop" => only_positions && count > 0,
            (_, "items") if count == 0 => return Err("write `x|items` in the place of `x.items()`".to_owned()),
            (_, "upper" | "lower" | "title" | "capitalize") if count == 0 => {
                return Err(format!("write `x|{0}` in the place of `x.{0}()`", method.name));
            }
            (_, "strip") if count == 0 => return Err("write `x|trim` in the place of `x.strip()`".to_owned()),
            (_, "get") => return Err("write `x.key|default(…)` in the place of `x.get('key', …)`".to_owned()),
            _ => false,
        },
        _ => false,
    };
    let refusal = "only macros of this template, range(...), loop.cycle(...) and loop.changed(...) can be called";
    if allowed { Ok(()) } else { Err(refusal.to_owned()) }
}

fn literal(expr: &Expr<'_>) -> Option<Value> {
    let is_short = |literal: &Value| {
        literal.as_object().is_none() && literal.as_str().is_none_or(|text| text.len() <= MAX_LITERAL)
    };
    expr.as_const().filter(is_short)
}

/// A literal of the engine.
pub(super) fn constant<'t>(value: Value, span: Span) -> Expr<'t> {
    Expr::Const(Spanned::new(ast::Const { value }, span))
}
