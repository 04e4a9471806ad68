//! The f-string format: `{name}` is a variable, and everything else is text.
//!
//! There is no escaping, format or expression: `{{`, `{x:>10}` and `{a + b}` stay as they are. Where the author has
//! declared the variables only those are replaced, so JSON and code with braces survive.
use std::collections::HashSet;

use super::fill::Piece;
use super::model::identifier_len;

/// Splits the text into what stays and what is replaced. Takes time linear in the text.
pub(super) fn parse(text: &str, declared: Option<&[String]>) -> Vec<Piece> {
    let declared: Option<HashSet<&str>> = declared.map(|names| names.iter().map(String::as_str).collect());
    let mut pieces = Vec::new();
    let mut kept = 0;
    for (start, _) in text.match_indices('{') {
        let inside = &text[start + 1..];
        let (name, rest) = inside.split_at(identifier_len(inside));
        let is_variable = !name.is_empty()
            && rest.starts_with('}')
            && declared.as_ref().is_none_or(|declared| declared.contains(name));
        if is_variable {
            pieces.push(Piece::Text(text[kept..start].to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            kept = start + name.len() + "{}".len();
        }
    }
    pieces.push(Piece::Text(text[kept..].to_owned()));
    pieces
}
