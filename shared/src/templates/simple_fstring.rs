//! Names in single braces: `{name}` is a variable, and everything else is text. It is what `fstring` was before that became
//! Python's `str.format`, and what versions of that time are still read by.
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

/// Does the text begin with what `str.format` would fill, and this format does not: `{x:.2f}`, `{x!r}`, `{x.y}`, `{x[0]}`, `{ x }`
/// of a name that is declared, or `{{`?
pub(super) fn looks_like_a_field(text: &str, declared: Option<&[String]>) -> bool {
    let Some(inside) = text.strip_prefix('{') else { return false };
    let trimmed = inside.trim_start_matches([' ', '\t', '\u{a0}']);
    let name = &trimmed[..identifier_len(trimmed)];
    let rest = &trimmed[name.len()..];
    let is_known = declared.is_none_or(|declared| declared.iter().any(|known| known == name));
    let end = rest.find(['{', '}', '\n']).filter(|end| rest[*end..].starts_with('}'));
    let is_field = match end {
        None => false,
        Some(end) if inside.len() > trimmed.len() || rest.starts_with(' ') => rest[..end].trim().is_empty(),
        Some(_) => rest.starts_with([':', '!', '.', '[']) && !rest.starts_with(": "),
    };
    !name.is_empty() && is_known && is_field
}
