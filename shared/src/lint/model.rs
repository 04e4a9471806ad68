//! What is checked, what is found, and what it costs.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules::{Rule, Severity};
use crate::{
    clock::Timestamp,
    templates::{InputSchema, TemplateFormat},
};

/// How many findings of one rule count towards the score.
const COUNTED_MAX: usize = 3;

/// A prompt to be checked, as it would be kept.
#[derive(Clone, Debug)]
pub struct Text<'t> {
    /// What it says.
    pub content: Content<'t>,
    /// How variables are written.
    pub format: TemplateFormat,
    /// The names of the variables, if the author gave them.
    pub declared: Option<&'t [String]>,
    /// What is known of the variables.
    pub schema: &'t InputSchema,
    /// Is the answer read by a program? A response schema says so.
    pub read_by_program: bool,
}

/// One text, or the messages of a chat prompt.
#[derive(Clone, Debug)]
pub enum Content<'t> {
    /// Of a text prompt.
    Whole(&'t str),
    /// Of a chat prompt.
    Messages(Vec<(Speaker, &'t str)>),
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Who gives instructions: the system, a developer, a user.
    Instructor,
    /// Who shows what answers look like: the assistant, a tool.
    Model,
}

/// What the check should know besides the text.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules that are not to count here, and why. Each at most once.
    pub suppressions: Vec<Suppression>,
    /// Variables that hold text from outside. Free text whose name says so is known without.
    pub untrusted: Vec<String>,
    /// How many tokens the prompt has, if a tokenizer counted them; else they are estimated.
    pub counted_tokens: Option<usize>,
    /// How many tokens it should have at most.
    pub budget_tokens: usize,
    /// How many tokens its model can take.
    pub context_tokens: Option<usize>,
    /// How many of those are kept for the answer.
    pub reserved_output_tokens: usize,
    /// How many tokens the version before had.
    pub previous_tokens: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            suppressions: Vec::new(),
            untrusted: Vec::new(),
            counted_tokens: None,
            budget_tokens: 4000,
            context_tokens: None,
            reserved_output_tokens: 0,
            previous_tokens: None,
        }
    }
}

/// A rule that does not count for a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// Which.
    pub rule: Rule,
    /// Why.
    pub reason: String,
    /// Who said so, if it is kept with the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
    /// When, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_at: Option<Timestamp>,
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Span {
    /// The message of a chat prompt, from 0. A text prompt has none.
    pub message: Option<usize>,
    /// The first byte, from 0.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub first_line: usize,
    /// The line of the last byte.
    pub last_line: usize,
}

/// A change that makes the finding go away, and is safe to make unseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Autofix {
    /// Put a text in the place of some bytes.
    Replace {
        /// The message of a chat prompt, from 0.
        message: Option<usize>,
        /// The first byte, from 0.
        start: usize,
        /// The byte after the last.
        end: usize,
        /// What stands there then.
        text: String,
    },
    /// Take a name out of the declared variables, and out of the schema.
    RemoveDeclaration {
        /// The name.
        variable: String,
    },
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule: Rule,
    /// The rule's name.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Which of the rule's cases this is. Stable, in kebab-case.
    pub code: &'static str,
    /// Where; null if it is about the prompt as a whole, or about a declaration.
    pub span: Option<Span>,
    /// The variable it is about.
    pub variable: Option<String>,
    /// What was found there, shortened. Secrets and personal data are masked.
    pub evidence: Option<String>,
    /// What to do about it.
    pub fix: &'static str,
    /// The change that does it, where one is safe.
    pub autofix: Option<Autofix>,
}

/// A rule that does not count, and what it found all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suppressed {
    /// Which, and why.
    #[serde(flatten)]
    pub suppression: Suppression,
    /// As for other rules; empty, if there is nothing to suppress.
    pub findings: Vec<Finding>,
}

/// What was found in a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// 100 and nothing found, down to 0.
    pub score: u32,
    /// In the order they stand in; of each rule the first twenty, and all that can be fixed.
    pub findings: Vec<Finding>,
    /// The rules that do not count.
    pub suppressed: Vec<Suppressed>,
    /// How many more were found than are listed.
    pub unlisted: usize,
}

/// 100 less 20 for an error, 5 for a warning and 1 for an info, where a rule counts three times at most.
pub(super) fn score(findings: impl Iterator<Item = (Rule, Severity)>) -> u32 {
    let mut counted: HashMap<Rule, usize> = HashMap::new();
    let mut lost = 0;
    for (rule, severity) in findings {
        let times = counted.entry(rule).or_default();
        *times += 1;
        if *times <= COUNTED_MAX {
            lost += match severity {
                Severity::Error => 20,
                Severity::Warning => 5,
                Severity::Info => 1,
            };
        }
    }
    100_u32.saturating_sub(lost)
}
