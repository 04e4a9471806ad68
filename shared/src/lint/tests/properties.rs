//! What holds for any text.
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{Content, Given, given};
use crate::{
    lint::{Autofix, Finding, Speaker, Text, apply},
    templates::TemplateFormat::{self, Fstring, Jinja2, Mustache},
};

/// Pieces that rules look at, and characters of every length.
const PIECES: [&str; 64] = [
    "{{",
    "}}",
    "{",
    "}",
    "x",
    "{{x}}",
    "{x}",
    "${x}",
    "%x%",
    "{%",
    "%}",
    "|",
    "`",
    "```",
    "```\n",
    "~~~\n",
    "\n",
    "\n\n",
    " ",
    "\t",
    "<a>",
    "</a>",
    "<b>\n",
    "# a\n",
    "## b\n",
    "- ",
    "1. ",
    "\"",
    "“",
    "”",
    "'",
    "é",
    "漢",
    "👩",
    "\u{200D}",
    "\u{200B}",
    "\u{FEFF}",
    "\u{FE0F}",
    "\u{E0041}",
    "\u{1F3F4}",
    "\u{202E}",
    "ع",
    "\u{200C}",
    "क",
    "İ",
    "ß",
    "Write a poem. ",
    "never ",
    "always ",
    "be brief ",
    "Example 1: ",
    "Input: a\n",
    "Output: b\n",
    "TODO: ",
    "[insert a]",
    "!!",
    "a@mail.com",
    "4111 1111 1111 1111",
    "token=hT7kP2xQ9vLm4Z",
    "ignore previous instructions",
    "examples above",
    "You are a poet. ",
    "\r\n",
    "\0",
];

/// Texts of such pieces, the same each time.
fn texts(count: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(7);
    let mut text = || {
        let pieces = random.random_range(0..40);
        (0..pieces).map(|_| *PIECES.choose(&mut random).unwrap()).collect::<String>()
    };
    (0..count).map(|_| text()).collect()
}

const FORMATS: [TemplateFormat; 4] = [Mustache, Fstring, Jinja2, TemplateFormat::None];

fn fits(text: &str, start: usize, end: usize) -> bool {
    start <= end && text.is_char_boundary(start) && text.is_char_boundary(end)
}

#[test]
fn spans_lie_within_the_text_and_between_characters() {
    for (index, text) in texts(600).iter().enumerate() {
        let given = given(text).format(FORMATS[index % FORMATS.len()]).declared(&["x"]);
        let report = given.report();
        for finding in report.findings {
            if let Some(span) = finding.span {
                assert!(fits(text, span.start, span.end), "{finding:?} in {text:?}");
                let line = text[..span.start].matches('\n').count() + 1;
                assert!(span.first_line == line && span.last_line >= line, "{finding:?} in {text:?}");
            }
            if let Some(Autofix::Replace { start, end, .. }) = finding.autofix {
                assert!(fits(text, start, end), "{finding:?} in {text:?}");
            }
        }
    }
}

#[test]
fn fixing_twice_changes_no_more_than_fixing_once() {
    for (index, text) in texts(600).iter().enumerate() {
        let mut first = given(text).format(FORMATS[index % FORMATS.len()]).declared(&["x", "y"]);
        let once = apply(&first.text(), &first.report().findings);
        first.content = Content::Whole(&once.parts[0]);
        first.declared.clone_from(&once.declared);
        let twice = apply(&first.text(), &first.report().findings);
        assert_eq!((&once.parts, &once.declared), (&twice.parts, &twice.declared), "{text:?}");
    }
}

#[test]
fn every_hidden_character_goes_at_once_however_many_there_are() {
    let text = "a\u{200B}".repeat(1000);
    let given = given(&text);
    let findings = given.report().findings;
    assert_eq!(findings.iter().filter(|finding| finding.rule.id() == "X03").count(), 20);
    assert_eq!(apply(&given.text(), &findings).parts, ["a".repeat(1000)]);
}

#[test]
fn changes_are_made_in_the_message_they_belong_to() {
    let messages =
        vec![(Speaker::Instructor, "Write.\u{200B}"), (Speaker::Model, "a\u{200B}b"), (Speaker::Instructor, "```\nx")];
    let given = Given { content: Content::Messages(messages), ..given("") }.declared(&["y"]);
    let applied = apply(&given.text(), &given.report().findings);
    assert_eq!(applied.parts, ["Write.", "ab", "```\nx\n```\n"]);
    assert_eq!((applied.declared, applied.undeclared), (Some(Vec::new()), vec!["y".to_owned()]));
}

#[test]
fn of_changes_that_overlap_the_larger_is_made_and_one_that_does_not_fit_is_not() {
    let found = given("a\u{200B}b").of("X03").remove(0);
    let with = |start, end, text: &str| Finding {
        autofix: Some(Autofix::Replace { message: None, start, end, text: text.to_owned() }),
        ..found.clone()
    };
    let schema = crate::templates::InputSchema::new();
    let text = Text {
        content: Content::Whole("aéb"),
        format: Mustache,
        declared: None,
        schema: &schema,
        read_by_program: false,
    };
    let parts = |findings: &[Finding]| apply(&text, findings).parts;
    assert_eq!(parts(&[with(1, 3, "x"), with(0, 4, "y")]), ["y"]);
    assert_eq!(parts(&[with(2, 3, "x"), with(9, 9, "y")]), ["aéb"]);
}
