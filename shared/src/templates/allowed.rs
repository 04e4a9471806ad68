//! The lists of what a Jinja2 template may call: filters, tests and functions, and with which arguments.
//!
//! A filter is on the list if its work is linear in what it gets, but for sorting. Some are only with literal arguments:
//! `trim` tries each character against each of its argument's, `sort` looks up each part of an attribute in each item,
//! and `tojson` indents every line, so arguments made from values would multiply with the value they are applied to.
//! Left out are filters whose work or result is not bounded by what they get: `format`, `pprint` and `center` pad,
//! `batch` and `slice` fill up, `sum` adds lists and text as well as numbers, `zip`, `chain` and `groupby` nest.
use std::ops::Range;

use minijinja::machinery::ast::{Call, CallArg, Expr, Filter, Test};

/// The filters, and which of their positional arguments may be any expression. All other arguments are literals.
const FILTERS: [(&str, Range<usize>); 39] = [
    ("abs", 0..0),
    ("bool", 0..0),
    ("capitalize", 0..0),
    ("count", 0..0),
    ("d", 0..1),
    ("default", 0..1),
    ("dictsort", 0..0),
    ("e", 0..0),
    ("escape", 0..0),
    ("first", 0..0),
    ("float", 0..0),
    ("indent", 0..0),
    ("int", 0..0),
    ("items", 0..0),
    ("join", 0..1),
    ("last", 0..0),
    ("length", 0..0),
    ("lines", 0..0),
    ("list", 0..0),
    ("lower", 0..0),
    ("map", 0..0),
    ("max", 0..0),
    ("min", 0..0),
    ("reject", 1..2),
    ("rejectattr", 2..3),
    ("replace", 0..2),
    ("reverse", 0..0),
    ("round", 0..0),
    ("select", 1..2),
    ("selectattr", 2..3),
    ("sort", 0..0),
    ("split", 0..1),
    ("string", 0..0),
    ("title", 0..0),
    ("tojson", 0..0),
    ("trim", 0..0),
    ("unique", 0..0),
    ("upper", 0..0),
    ("urlencode", 0..0),
];

/// The filters that `map` may apply.
const MAPPED: [&str; 15] = [
    "abs",
    "bool",
    "capitalize",
    "float",
    "first",
    "int",
    "last",
    "length",
    "lower",
    "round",
    "string",
    "title",
    "trim",
    "upper",
    "urlencode",
];

/// The tests. The operators among them can only be named in `select` and its like.
const TESTS: [&str; 38] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
    "sameas",
];

/// The longest literal where only a literal will do, in bytes.
const MAX_LITERAL: usize = 100;

/// The widest indent of `tojson`, which every line of deeply nested JSON has many times over.
pub(super) const MAX_JSON_INDENT: usize = 4;

/// Why the filter may not be used like that.
pub(super) fn check_filter(filter: &Filter<'_>) -> Result<(), String> {
    let name = filter.name;
    let Some((_, free)) = FILTERS.iter().find(|(allowed, _)| *allowed == name) else {
        let names: Vec<_> = FILTERS.iter().map(|(name, _)| *name).collect();
        return Err(format!("the filter `{name}` is not allowed; allowed are {}", names.join(", ")));
    };
    for (position, arg) in filter.args.iter().enumerate() {
        let is_free = matches!(arg, CallArg::Pos(_)) && free.contains(&position);
        if !is_free && !is_literal(arg) {
            return Err(format!("this argument of `{name}` must be a literal of at most {MAX_LITERAL} bytes"));
        }
        if name == "tojson"
            && integer(arg)
                .is_some_and(|indent| usize::try_from(indent).map_or(true, |indent| indent > MAX_JSON_INDENT))
        {
            return Err(format!("the indent of `tojson` is at most {MAX_JSON_INDENT}"));
        }
    }
    let (named, among): (_, &[&str]) = match name {
        "map" => (filter.args.first(), &MAPPED),
        "select" | "reject" => (filter.args.first(), &TESTS),
        "selectattr" | "rejectattr" => (filter.args.get(1), &TESTS),
        _ => return Ok(()),
    };
    match named {
        Some(CallArg::Pos(Expr::Const(literal)))
            if !literal.value.as_str().is_some_and(|named| among.contains(&named)) =>
        {
            Err(format!("`{name}` cannot apply {}; it can apply {}", literal.value, among.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Why the test may not be used like that.
pub(super) fn check_test(test: &Test<'_>) -> Result<(), String> {
    if !TESTS.contains(&test.name) {
        return Err(format!("the test `{}` is not allowed; allowed are {}", test.name, TESTS.join(", ")));
    }
    match test.args.as_slice() {
        [] | [CallArg::Pos(_)] => Ok(()),
        _ => Err(format!("the test `{}` takes at most one argument", test.name)),
    }
}

/// Why the call may not be made. `is_macro` tells which names are macros of the template.
pub(super) fn check_call(call: &Call<'_>, is_macro: impl Fn(&str) -> bool) -> Result<(), String> {
    let only_positions = call.args.iter().all(|arg| matches!(arg, CallArg::Pos(_)));
    let no_splats = call.args.iter().all(|arg| matches!(arg, CallArg::Pos(_) | CallArg::Kwarg(..)));
    let allowed = match &call.expr {
        Expr::Var(name) if is_macro(name.id) => no_splats,
        Expr::Var(name) => name.id == "range" && only_positions,
        Expr::GetAttr(method) => {
            // Without an argument the engine would divide by zero.
            matches!(&method.expr, Expr::Var(object) if object.id == "loop")
                && matches!(method.name, "changed" | "cycle")
                && only_positions
                && !call.args.is_empty()
        }
        _ => false,
    };
    let refusal = "only macros of this template, range(...), loop.cycle(...) and loop.changed(...) can be called";
    if allowed { Ok(()) } else { Err(refusal.to_owned()) }
}

fn is_literal(arg: &CallArg<'_>) -> bool {
    let (CallArg::Pos(expr) | CallArg::Kwarg(_, expr)) = arg else { return false };
    expr.as_const().is_some_and(|literal| {
        literal.as_object().is_none() && literal.as_str().is_none_or(|text| text.len() <= MAX_LITERAL)
    })
}

fn integer(arg: &CallArg<'_>) -> Option<i64> {
    let (CallArg::Pos(expr) | CallArg::Kwarg(_, expr)) = arg else { return None };
    expr.as_const().filter(minijinja::value::Value::is_integer).map(|literal| literal.as_i64().unwrap_or(i64::MAX))
}
