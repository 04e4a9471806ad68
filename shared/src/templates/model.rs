//! What the rest of the domain says about templates: their format, the schema of their variables, and their faults.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::{Error, Violation},
    numbers,
};

/// The JSON type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VariableType {
    /// Text.
    String,
    /// Any number.
    Number,
    /// A number without a fraction, of at most 64 bits. `2.0` and `2e0` are such, and are filled as `2`.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// A map with text as keys.
    Object,
}

impl VariableType {
    /// Is the value of this type? `null` is of none.
    #[must_use]
    pub fn admits(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => matches!(value, Value::Number(number) if numbers::whole(number).is_some()),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Integer => "an integer of at most 64 bits",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// What the author says about one variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableSpec {
    /// The type a value must have; any, if absent.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<VariableType>,
    /// Must the caller give a value? A `default` makes that unnecessary.
    #[serde(default = "required_unless_said")]
    pub required: bool,
    /// The value when the caller gives none. `null` is no value: it says no more than leaving it out does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn required_unless_said() -> bool {
    true
}

impl Default for VariableSpec {
    fn default() -> Self {
        Self { kind: None, required: required_unless_said(), default: None, description: None }
    }
}

/// What the author says about the variables, by name.
pub type InputSchema = BTreeMap<String, VariableSpec>;

/// What breaks the rules in a schema: names that are no identifiers, and defaults that are not of their own type.
#[must_use]
pub fn check_schema(schema: &InputSchema) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, spec) in schema {
        let pointer = format!("/input_schema/{}", escape_pointer(name));
        if !is_name(name) {
            let detail = format!("`{name}` is no name of a variable: letters, digits, `_` and `-`");
            violations.push(Violation::new(pointer.clone(), "not-an-identifier", detail));
        }
        if let (Some(kind), Some(default)) = (spec.kind, &spec.default)
            && !kind.admits(default)
        {
            let detail = format!("the default of `{name}` must be {kind}");
            violations.push(Violation::new(format!("{pointer}/default"), "wrong-type", detail));
        }
    }
    violations
}

/// Writes a name as one token of a JSON Pointer (RFC 6901).
pub(super) fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Can the name stand in a template of some format? Mustache knows names that are no identifiers: `user-name`, `1st`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || char == '_' || char == '-')
}

/// Can the name stand in a template of any format?
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    !name.is_empty() && identifier_len(name) == name.len()
}

/// How many bytes at the start of the text are an identifier: a letter or `_`, then letters, digits and `_`.
pub(super) fn identifier_len(text: &str) -> usize {
    match text.chars().next() {
        Some(first) if first.is_alphabetic() || first == '_' => {
            text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `template-syntax`, `template-forbidden`, `template-limit` or `template-render`.
    pub code: &'static str,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// One sentence for a person.
    pub detail: String,
}

impl Fault {
    /// The text is no template.
    pub(super) const SYNTAX: &'static str = "template-syntax";
    /// The template uses something that is not allowed.
    pub(super) const FORBIDDEN: &'static str = "template-forbidden";
    /// The template asks for more time, memory or output than it gets.
    pub(super) const LIMIT: &'static str = "template-limit";
    /// The template fails on these values.
    pub(super) const RENDER: &'static str = "template-render";

    /// A fault at a byte of the text.
    pub(super) fn at(text: &str, offset: usize, code: &'static str, detail: impl Into<String>) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            code,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            detail: detail.into(),
        }
    }

    /// A limit that the template as a whole exceeds.
    pub(super) fn limit(detail: impl Into<String>) -> Self {
        Self { code: Self::LIMIT, line: 1, column: 1, detail: detail.into() }
    }

    /// What the field that holds the template does wrong.
    #[must_use]
    pub fn into_violation(self, pointer: &str) -> Violation {
        let detail = format!("line {}, column {}: {}", self.line, self.column, self.detail);
        Violation::new(pointer, self.code, detail)
    }

    /// The fault as an error of the domain, at the field that holds the template.
    #[must_use]
    pub fn into_error(self, pointer: &str) -> Error {
        let code = if self.code == Self::LIMIT { self.code } else { "validation-failed" };
        let violation = self.into_violation(pointer);
        Error::Invalid { code, detail: violation.detail.clone(), violations: vec![violation] }
    }
}
