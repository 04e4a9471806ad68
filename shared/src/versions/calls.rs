//! Which calls a version refuses that another takes: what callers must change for.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Body;
use crate::templates::{Demands, Template, VariableType};

/// A variable for which callers must change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallChange {
    /// Which variable.
    pub variable: String,
    /// What is asked for now.
    pub reason: CallChangeReason,
}

/// What is asked for that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallChangeReason {
    /// It must be given: it is new, or could be left out.
    Required,
    /// It must be of another type: not every value that was taken is.
    Type,
}

/// What is asked of a call about a variable.
#[derive(Clone, Copy)]
struct Asked {
    required: bool,
    kind: Option<VariableType>,
}

/// Finds the variables for which a call that `from` takes may be refused by `to`: as values are bound, by what must be given
/// and of which type it must be. A call names only variables that `from` uses; what else it gives is ignored by both.
#[must_use]
pub fn broken_calls(from: &Body, to: &Body) -> Vec<CallChange> {
    let before = asked(from);
    let change = |(variable, asked): (String, Asked)| {
        let was = before.get(&variable);
        let reason = if asked.required && !was.is_some_and(|was| was.required) {
            CallChangeReason::Required
        } else if was.is_some_and(|was| !takes_all(asked.kind, was.kind)) {
            CallChangeReason::Type
        } else {
            return None;
        };
        Some(CallChange { variable, reason })
    };
    asked(to).into_iter().filter_map(change).collect()
}

/// The variables that the texts use. One that is declared and stands nowhere is not asked for.
fn asked(body: &Body) -> BTreeMap<String, Asked> {
    let mut demands = Demands::default();
    for (_, text) in body.texts() {
        if let Ok(template) = Template::parse(body.template_format, text, Some(&body.variables)) {
            demands.extend(template.demands());
        }
    }
    let of = |name: &String| {
        let spec = body.input_schema.get(name);
        let is_demanded = demands.of(name).is_some_and(|demand| demand.required);
        let required = is_demanded && spec.is_none_or(|spec| spec.required && spec.default.is_none());
        (name.clone(), Asked { required, kind: spec.and_then(|spec| spec.kind) })
    };
    demands.names().iter().map(of).collect()
}

/// Does a type admit every value that another admits?
fn takes_all(kind: Option<VariableType>, other: Option<VariableType>) -> bool {
    match (kind, other) {
        (None, _) | (Some(VariableType::Number), Some(VariableType::Integer)) => true,
        (Some(kind), other) => other == Some(kind),
    }
}
