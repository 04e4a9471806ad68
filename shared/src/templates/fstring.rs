//! The f-string format: `{name}` is a variable, and everything else is text.
//!
//! There is no escaping, format or expression: `{{`, `{x:>10}` and `{a + b}` stay as they are. Where the author has
//! declared the variables only those are replaced, so JSON and code with braces survive.
use std::collections::HashSet;

use super::fill::Span;
use super::model::identifier_len;

/// Where the placeholders stand, and their names. Takes time linear in the text.
pub(super) fn spans<'t>(text: &'t str, declared: Option<&[String]>) -> Vec<Span<'t>> {
    let declared: Option<HashSet<&str>> = declared.map(|names| names.iter().map(String::as_str).collect());
    let mut spans = Vec::new();
    for (start, _) in text.match_indices('{') {
        let inside = &text[start + 1..];
        let (name, rest) = inside.split_at(identifier_len(inside));
        let is_variable = !name.is_empty()
            && rest.starts_with('}')
            && declared.as_ref().is_none_or(|declared| declared.contains(name));
        if is_variable {
            spans.push((start..start + name.len() + "{}".len(), name));
        }
    }
    spans
}
