//! The filters, tests and functions that a Jinja2 template may use, and with which arguments: those of Jinja2.
//!
//! A filter is on the list if its work is linear in what it gets, but for sorting. Some take literal arguments only: `trim`
//! tries each character against each of its argument's, `sort` looks up each part of an attribute in each item, and `tojson`
//! indents every line, so arguments made from values would multiply with the value they are applied to. Left out are filters
//! whose work or result is not bounded by what they get: `format`, `pprint` and `center` pad, `batch` and `slice` fill up,
//! `sum` adds lists and text as well as numbers, `zip`, `chain` and `groupby` nest. `bool`, `lines` and `split`, and the tests
//! `int`, `startingwith` and `endingwith`, are not Jinja2's.

/// An argument that is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unsaid {
    /// It must be given.
    Required,
    None,
    False,
    Zero,
    Ten,
    Four,
    Text(&'static str),
}

/// A parameter: its name, what it is unless said, and whether its argument may be any expression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) unsaid: Unsaid,
    pub(super) free: bool,
}

/// A filter and its parameters, in their order.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The engine wants the arguments by their names.
    pub(super) by_name: bool,
}

const fn literal(name: &'static str, unsaid: Unsaid) -> Parameter {
    Parameter { name, unsaid, free: false }
}

const fn free(name: &'static str, unsaid: Unsaid) -> Parameter {
    Parameter { name, unsaid, free: true }
}

const fn filter(name: &'static str, parameters: &'static [Parameter]) -> Signature {
    Signature { name, parameters, by_name: false }
}

const DEFAULT: &[Parameter] = &[free("default_value", Unsaid::Text("")), literal("boolean", Unsaid::False)];
const EXTREME: &[Parameter] = &[literal("case_sensitive", Unsaid::False), literal("attribute", Unsaid::None)];

/// The filters with fixed parameters.
pub(super) const FILTERS: &[Signature] = &[
    filter("abs", &[]),
    filter("bool", &[]),
    filter("capitalize", &[]),
    filter("count", &[]),
    filter("d", DEFAULT),
    filter("default", DEFAULT),
    Signature {
        name: "dictsort",
        parameters: &[
            literal("case_sensitive", Unsaid::False),
            literal("by", Unsaid::Text("key")),
            literal("reverse", Unsaid::False),
        ],
        by_name: true,
    },
    filter("e", &[]),
    filter("escape", &[]),
    filter("first", &[]),
    filter("float", &[literal("default", Unsaid::Zero)]),
    filter(
        "indent",
        &[literal("width", Unsaid::Four), literal("first", Unsaid::False), literal("blank", Unsaid::False)],
    ),
    filter("int", &[literal("default", Unsaid::Zero), literal("base", Unsaid::Ten)]),
    filter("items", &[]),
    filter("join", &[free("d", Unsaid::Text("")), literal("attribute", Unsaid::None)]),
    filter("last", &[]),
    filter("length", &[]),
    filter("lines", &[]),
    filter("list", &[]),
    filter("lower", &[]),
    filter("max", EXTREME),
    filter("min", EXTREME),
    filter("replace", &[free("old", Unsaid::Required), free("new", Unsaid::Required), literal("count", Unsaid::None)]),
    filter("reverse", &[]),
    filter("round", &[literal("precision", Unsaid::Zero), literal("method", Unsaid::Text("common"))]),
    filter(
        "sort",
        &[
            literal("reverse", Unsaid::False),
            literal("case_sensitive", Unsaid::False),
            literal("attribute", Unsaid::None),
        ],
    ),
    filter("split", &[free("sep", Unsaid::None), literal("maxsplit", Unsaid::None)]),
    filter("string", &[]),
    filter("title", &[]),
    filter("tojson", &[literal("indent", Unsaid::None)]),
    filter("trim", &[literal("chars", Unsaid::None)]),
    Signature { name: "unique", parameters: EXTREME, by_name: true },
    filter("upper", &[]),
    filter("urlencode", &[]),
];

/// The filters that take the name of another filter, or of a test.
pub(super) const APPLYING: [&str; 5] = ["map", "reject", "rejectattr", "select", "selectattr"];

/// The filters that `map` may apply.
pub(super) const MAPPED: [&str; 15] = [
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

/// The filters that work on a text: whatever they get, they see it as Python prints it.
pub(super) const TEXTUAL: [&str; 12] = [
    "capitalize",
    "e",
    "escape",
    "indent",
    "lower",
    "replace",
    "split",
    "string",
    "title",
    "trim",
    "upper",
    "urlencode",
];

/// The filters that go through items, of which `none` has none.
pub(super) const ITERATING: [&str; 15] = [
    "first",
    "join",
    "last",
    "list",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
    "unique",
    "items",
];

/// The tests, and whether they take an argument. The operators among them can only be named in `select` and its like.
pub(super) const TESTS: [(&str, bool); 38] = [
    ("!=", true),
    ("<", true),
    ("<=", true),
    ("==", true),
    (">", true),
    (">=", true),
    ("boolean", false),
    ("defined", false),
    ("divisibleby", true),
    ("endingwith", true),
    ("eq", true),
    ("equalto", true),
    ("even", false),
    ("false", false),
    ("float", false),
    ("ge", true),
    ("greaterthan", true),
    ("gt", true),
    ("in", true),
    ("int", false),
    ("integer", false),
    ("iterable", false),
    ("le", true),
    ("lessthan", true),
    ("lower", false),
    ("lt", true),
    ("mapping", false),
    ("ne", true),
    ("none", false),
    ("number", false),
    ("odd", false),
    ("sameas", true),
    ("sequence", false),
    ("startingwith", true),
    ("string", false),
    ("true", false),
    ("undefined", false),
    ("upper", false),
];

/// The filter of that name, if it has fixed parameters.
pub(super) fn signature(name: &str) -> Option<&'static Signature> {
    FILTERS.iter().find(|filter| filter.name == name)
}

/// Does the test of that name take an argument? Nothing, if there is no such test.
pub(super) fn takes_argument(test: &str) -> Option<bool> {
    TESTS.iter().find(|(name, _)| *name == test).map(|(_, takes)| *takes)
}
