//! The simple format: `{{ name }}` is a variable, and everything else is text. It is what `mustache` was before that
//! became Mustache, and what versions of that time are still read by.
//!
//! Spaces and tabs may surround the name. Braces around anything that is no name are text, byte for byte, so code and
//! JSON survive: `{{#if}}`, `{{code here}}`, `{{}}`. The innermost braces count: `{{{x}}}` is `{`, the variable, `}`.
use super::fill::Span;
use super::model::identifier_len;

/// Where the placeholders stand, and their names. Takes time linear in the text.
pub(super) fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        if let Some((name, len)) = placeholder(&text[start..]) {
            spans.push((start..start + len, name));
            from = start + len;
        } else {
            from = start + 1; // The second brace may open `{{{x}}`.
        }
    }
    spans
}

/// The name in the placeholder that the text starts with, and how many bytes the placeholder takes.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let blanks = [' ', '\t'];
    let inside = text.strip_prefix("{{")?.trim_start_matches(blanks);
    let (name, rest) = inside.split_at(identifier_len(inside));
    let rest = rest.trim_start_matches(blanks).strip_prefix("}}")?;
    (!name.is_empty()).then(|| (name, text.len() - rest.len()))
}
