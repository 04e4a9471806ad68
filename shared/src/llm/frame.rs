//! How a text goes to a model and comes back: between two tags, so that it is told apart from what is said about it.
//!
//! Wherever the text itself holds such a tag, the tag is written with `&lt;` in the place of `<` (and what looks like that
//! already, with one `&amp;` more), so that a tag in an answer is a tag. [`take`] writes it back.
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// The most that a model may write: more than the longest prompt that anybody refines at once.
pub(super) const OUTPUT_TOKENS_MAX: u32 = 16_384;

/// Begins a refined text.
pub const OPEN: &str = "<refined_prompt>";
/// Ends it.
pub const CLOSE: &str = "</refined_prompt>";

/// Every tag that means something in a question or an answer.
const TAGS: &str = "/?(?:refined_prompt|prompt_to_refine|instructions|context_document)>";

static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("<({TAGS})")).expect("it is a pattern"));
static ESCAPED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("&((?:amp;)*)lt;({TAGS})")).expect("it is a pattern"));

/// The text, with no tag in it that means something.
#[must_use]
pub fn escape(text: &str) -> String {
    let once_more = ESCAPED.replace_all(text, |found: &Captures<'_>| format!("&amp;{}lt;{}", &found[1], &found[2]));
    TAG.replace_all(&once_more, |found: &Captures<'_>| format!("&lt;{}", &found[1])).into_owned()
}

/// What was escaped.
#[must_use]
pub fn unescape(text: &str) -> String {
    let back = |found: &Captures<'_>| match found[1].strip_prefix("amp;") {
        Some(rest) => format!("&{rest}lt;{}", &found[2]),
        None => format!("<{}", &found[2]),
    };
    ESCAPED.replace_all(text, back).into_owned()
}

/// The text as an answer holds it.
#[must_use]
pub fn put(text: &str) -> String {
    format!("{OPEN}\n{}\n{CLOSE}", escape(text))
}

/// What an answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    /// A text between its tags, without the newline next to each.
    Whole(String),
    /// A text that begins and does not end.
    CutOff,
    /// No tag begins a text.
    None,
}

/// The text between the tags. Of several, the last that begins a line: models speak of the tags before they use them.
#[must_use]
pub fn take(answer: &str) -> Framed {
    let mut found: Option<(bool, &str)> = None;
    let mut rest = answer;
    while let Some(start) = rest.find(OPEN) {
        let (before, inside) = (&rest[..start], &rest[start + OPEN.len()..]);
        let begins_line = before.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        let Some(end) = inside.find(CLOSE) else {
            // The last word counts: what was begun anew and not ended is not the text before it.
            return if begins_line || found.is_none() { Framed::CutOff } else { whole(found) };
        };
        // Tags of the text itself are escaped: one that opens again before the end is the one that is meant.
        let inside = &inside[..end];
        let last = inside.rfind(OPEN).map_or(inside, |again| &inside[again + OPEN.len()..]);
        if begins_line || found.is_none_or(|(began_line, _)| !began_line) {
            found = Some((begins_line, last));
        }
        rest = &rest[start + OPEN.len() + end + CLOSE.len()..];
    }
    whole(found)
}

fn whole(found: Option<(bool, &str)>) -> Framed {
    let Some((_, text)) = found else { return Framed::None };
    let text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
    let text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
    Framed::Whole(unescape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_put_is_taken() {
        let pieces = [
            "",
            "a",
            "\n",
            "\r\n",
            "<",
            "&",
            "&lt;",
            "&amp;",
            "lt;",
            OPEN,
            CLOSE,
            "&lt;/refined_prompt>",
            "&amp;lt;refined_prompt>",
            "</prompt_to_refine>",
            "/refined_prompt>",
            "\u{1F600}{{x}}\"",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let text = [a, b, c, b].concat();
                    assert_eq!(take(&put(&text)), Framed::Whole(text.clone()));
                    let chatter = format!("I put it between {OPEN} and {CLOSE}:\n\n{}\n\nThat is all.", put(&text));
                    assert_eq!(take(&chatter), Framed::Whole(text.clone()));
                    assert!(!TAG.is_match(&escape(&text)), "{text}");
                }
            }
        }
    }

    #[test]
    fn one_newline_next_to_each_tag_is_not_part_of_the_text() {
        for (answer, text) in [
            ("<refined_prompt>a</refined_prompt>", "a"),
            ("<refined_prompt>\na\n</refined_prompt>", "a"),
            ("<refined_prompt>\r\na\r\n</refined_prompt>", "a"),
            ("<refined_prompt>\n\n a \n\n</refined_prompt>", "\n a \n"),
            ("Here:\n  <refined_prompt>a</refined_prompt> Done.", "a"),
            ("Here: <refined_prompt>a</refined_prompt>", "a"),
            ("<refined_prompt>first</refined_prompt>\n<refined_prompt>second</refined_prompt>", "second"),
            ("<refined_prompt>real</refined_prompt>\nIt stands in <refined_prompt>x</refined_prompt>.", "real"),
            ("<refined_prompt>\n<refined_prompt>\na\n</refined_prompt>\n</refined_prompt>", "a"),
        ] {
            assert_eq!(take(answer), Framed::Whole(text.to_owned()), "{answer}");
        }
    }

    #[test]
    fn what_does_not_end_is_cut_off_and_what_does_not_begin_is_nothing() {
        assert_eq!(take("<refined_prompt>\nhalf of"), Framed::CutOff);
        assert_eq!(take("<refined_prompt>a</refined_prompt>\n<refined_prompt>\nhalf"), Framed::CutOff);
        for answer in ["", "a prompt", "</refined_prompt>", "<refined>x</refined>"] {
            assert_eq!(take(answer), Framed::None, "{answer}");
        }
    }
}
