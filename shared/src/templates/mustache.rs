//! The mustache format: `{{ name }}` is a variable, and everything else is text.
//!
//! Spaces and tabs may surround the name. Braces around anything that is no name are text, byte for byte, so code and
//! JSON survive: `{{#if}}`, `{{code here}}`, `{{}}`. The innermost braces count: `{{{x}}}` is `{`, the variable, `}`.
use super::fill::Piece;
use super::model::identifier_len;

/// Splits the text into what stays and what is replaced. Takes time linear in the text.
pub(super) fn parse(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        if let Some((name, len)) = placeholder(&text[start..]) {
            pieces.push(Piece::Text(text[kept..start].to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            kept = start + len;
            from = kept;
        } else {
            from = start + 1; // The second brace may open `{{{x}}`.
        }
    }
    pieces.push(Piece::Text(text[kept..].to_owned()));
    pieces
}

/// The name in the placeholder that the text starts with, and how many bytes the placeholder takes.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let blanks = [' ', '\t'];
    let inside = text.strip_prefix("{{")?.trim_start_matches(blanks);
    let (name, rest) = inside.split_at(identifier_len(inside));
    let rest = rest.trim_start_matches(blanks).strip_prefix("}}")?;
    (!name.is_empty()).then(|| (name, text.len() - rest.len()))
}
