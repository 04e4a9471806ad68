//! What each rule finds, and what looks like it and is none.
mod delta;
mod properties;
mod safety;
mod structure;
mod variables;
mod wording;

use serde_json::{Value, json};

use super::{Content, Finding, Options, Report, Rule, Speaker, Suppression, Text, check};
use crate::templates::{InputSchema, TemplateFormat};

/// A prompt to be checked, and all that is known of it.
struct Given<'t> {
    content: Content<'t>,
    format: TemplateFormat,
    declared: Option<Vec<String>>,
    schema: InputSchema,
    options: Options,
}

fn given(content: &str) -> Given<'_> {
    Given {
        content: Content::Whole(content),
        format: TemplateFormat::Mustache,
        declared: None,
        schema: InputSchema::new(),
        options: Options::default(),
    }
}

impl<'t> Given<'t> {
    fn format(mut self, format: TemplateFormat) -> Self {
        self.format = format;
        self
    }

    fn declared(mut self, names: &[&str]) -> Self {
        self.declared = Some(names.iter().map(ToString::to_string).collect());
        self
    }

    fn schema(mut self, schema: Value) -> Self {
        self.schema = serde_json::from_value(schema).unwrap();
        self
    }

    fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    fn text(&self) -> Text<'_> {
        Text {
            content: self.content.clone(),
            format: self.format,
            declared: self.declared.as_deref(),
            schema: &self.schema,
            read_by_program: false,
        }
    }

    fn report(&self) -> Report {
        check(&self.text(), &self.options)
    }

    fn of(&self, id: &str) -> Vec<Finding> {
        self.report().findings.into_iter().filter(|finding| finding.rule.id() == id).collect()
    }

    /// The code of each finding of a rule, and the text of its span.
    fn spans(&self, id: &str) -> Vec<(&'static str, &'t str)> {
        let texts: Vec<&'t str> = match &self.content {
            Content::Whole(content) => vec![*content],
            Content::Messages(messages) => messages.iter().map(|(_, content)| *content).collect(),
        };
        let of_span = |finding: Finding| {
            let text = finding.span.map_or("", |span| &texts[span.message.unwrap_or_default()][span.start..span.end]);
            (finding.code, text)
        };
        self.of(id).into_iter().map(of_span).collect()
    }
}

/// The code of each finding of a rule in a text, and the text of its span.
fn spans<'t>(id: &str, content: &'t str) -> Vec<(&'static str, &'t str)> {
    given(content).spans(id)
}

/// The text breaks the rule once, here.
#[track_caller]
fn fires(id: &str, content: &str, code: &str, span: &str) {
    assert_eq!(spans(id, content), [(code, span)], "{content}");
}

/// The text does not break the rule.
#[track_caller]
fn passes(id: &str, content: &str) {
    assert_eq!(spans(id, content), [], "{content}");
}

#[test]
fn the_score_counts_three_findings_of_a_rule() {
    let report = given("Write a poem.\nTODO: a\n\nTODO: b\n\nTODO: c\n\nTODO: d").report();
    assert_eq!(report.findings.iter().filter(|finding| finding.rule == Rule::LeftoverMarker).count(), 4);
    assert_eq!(report.score, 40);
    assert_eq!(given("Write a short poem about the sea.").report().score, 100);
}

#[test]
fn a_suppressed_finding_is_reported_apart_and_does_not_count() {
    let without = |rule| Suppression { rule, reason: "why".to_owned(), suppressed_by: None, suppressed_at: None };
    let suppressions = vec![without(Rule::Secret), without(Rule::LeftoverMarker)];
    let report = given("Write a poem.\nTODO: a").options(Options { suppressions, ..Options::default() }).report();
    assert_eq!((report.score, report.findings.len()), (100, 0));
    let findings = |nth: usize| (report.suppressed[nth].suppression.rule, report.suppressed[nth].findings.len());
    assert_eq!((findings(0), findings(1)), ((Rule::Secret, 0), (Rule::LeftoverMarker, 1)));
}

#[test]
fn a_finding_is_written_with_its_place_its_evidence_and_its_fix() {
    let messages = vec![(Speaker::Instructor, "Write a poem."), (Speaker::Instructor, "é\nBe kind.\nTODO: more")];
    let report = Given { content: Content::Messages(messages), ..given("") }.report();
    let finding = serde_json::to_value(&report.findings[0]).unwrap();
    let expected = json!({
        "rule": "C08", "name": "leftover-marker", "severity": "error", "code": "leftover-marker",
        "span": {"message": 1, "start": 12, "end": 16, "first_line": 3, "last_line": 3},
        "variable": null, "evidence": "TODO", "fix": "Do what the note says, and remove it.", "autofix": null,
    });
    assert_eq!(finding, expected);
}

#[test]
fn the_same_findings_come_in_the_order_of_the_text() {
    let starts: Vec<usize> = given("TODO: a\nWrite to bob@mail.com!!\nTBD")
        .report()
        .findings
        .iter()
        .filter_map(|finding| finding.span)
        .map(|span| span.start)
        .collect();
    assert!(starts.len() >= 3 && starts.is_sorted(), "{starts:?}");
}

#[test]
fn a_rule_is_read_as_it_is_written() {
    for rule in Rule::ALL {
        assert_eq!(rule.id().parse::<Rule>().unwrap(), *rule);
        assert_eq!(serde_json::to_value(rule).unwrap(), json!(rule.id()));
    }
    assert!("T99".parse::<Rule>().is_err());
}

#[test]
fn no_more_than_twenty_findings_of_a_rule_are_listed() {
    let report = given(&"TODO: x\n\n".repeat(50)).report();
    assert_eq!(report.findings.iter().filter(|finding| finding.rule == Rule::LeftoverMarker).count(), 20);
    assert_eq!(report.unlisted, 30);
}
