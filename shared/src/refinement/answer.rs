//! What a model's answer says: the refined prompt, or that there is none.
use std::{collections::HashSet, sync::LazyLock};

use regex::Regex;
use serde::Deserialize;

use super::model::RefinementError;
use crate::{
    llm::{
        Said,
        frame::{Framed, take},
    },
    templates::{Template, TemplateFormat},
    versions::{Body, BodyDraft, Message, Role},
};

/// A prompt that comes back without its tags shares so many of its words with the one that was sent.
const LIKENESS_MIN: f64 = 0.3;

/// How people who will not do something say so, after an apology or without one.
static REFUSAL: LazyLock<Regex> = LazyLock::new(|| {
    let apology = "[^.\\n]{0,30}(?:sorry|apologi[sz]e|unfortunately)[^.\\n]{0,20}?";
    let refusal =
        "I(?: can[’']?t| cannot| can not| won[’']?t| will not|[’']m (?:not able|unable)| am (?:not able|unable))";
    Regex::new(&format!(r"(?i)^\W*(?:{apology})?\b{refusal}\b")).expect("it is a pattern")
});

/// How people begin who are about to show something, and end who have shown it.
static CHATTER: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)^\W*(sure|certainly|of course|absolutely|okay|ok|great|here(’s|'s| is| are)|below is|i(’ve|'ve| have)|let me know|feel free|i hope|hope this|this (version|prompt|refinement)|the (refined|improved|revised) prompt|key (changes|improvements)|changes made)\b";
    Regex::new(pattern).expect("it is a pattern")
});

static FENCED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)^\s*```[a-zA-Z]*\r?\n(.*?)\r?\n```\s*$").expect("it is a pattern"));

fn unusable(detail: impl Into<String>) -> RefinementError {
    RefinementError { code: "unusable-answer".to_owned(), detail: detail.into() }
}

/// The refined prompt. `base` is what was to be refined.
pub(super) fn read(said: &Said, base: &Body) -> Result<Body, RefinementError> {
    let refused = || RefinementError {
        code: "refused".to_owned(),
        detail: "the model will not do this; ask for something else, or ask another".to_owned(),
    };
    if said.is_refusal {
        return Err(refused());
    }
    let text = match take(&said.text) {
        Framed::Whole(text) => text,
        Framed::CutOff => return Err(cut_off()),
        Framed::None if said.is_cut_off => return Err(cut_off()),
        Framed::None if REFUSAL.is_match(said.text.trim_start()) => return Err(refused()),
        Framed::None => unframed(&said.text, base)?,
    };
    if text.trim().is_empty() {
        return Err(unusable("the model answered with an empty prompt; try again, or ask another"));
    }
    body(text, base)
}

fn cut_off() -> RefinementError {
    let detail = "the answer ends in the middle: the prompt is longer than the model may write; ask another model";
    RefinementError { code: "answer-cut-off".to_owned(), detail: detail.to_owned() }
}

/// Without tags, the answer is taken whole where it is plainly the prompt and nothing is said about it.
fn unframed(answer: &str, base: &Body) -> Result<String, RefinementError> {
    let text = FENCED.captures(answer).map_or(answer, |found| found.get(1).map_or("", |inside| inside.as_str()));
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (first, last) = (lines.next().unwrap_or_default(), lines.next_back());
    let says_more = CHATTER.is_match(first) || last.is_some_and(|last| CHATTER.is_match(last)) || text.contains("```");
    let was = crate::versions::readable(base);
    let keeps_variables = base.variables.iter().all(|name| !was.contains(name) || text.contains(name));
    if says_more || !keeps_variables || likeness(&was, text, &base.variables) < LIKENESS_MIN {
        return Err(unusable(
            "the answer does not hold a refined prompt between its tags, and is not plainly one; try again, or ask another",
        ));
    }
    Ok(text.to_owned())
}

/// How many of the words of the shorter text the longer one has. Variables are none.
#[expect(clippy::cast_precision_loss, reason = "a share needs few digits")]
fn likeness(one: &str, other: &str, variables: &[String]) -> f64 {
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words = words.filter(|word| !word.is_empty() && variables.iter().all(|name| name != word));
        words.map(str::to_lowercase).collect()
    };
    let (one, other) = (words(one), words(other));
    let fewer = one.len().min(other.len());
    if fewer == 0 { 0.0 } else { one.intersection(&other).count() as f64 / fewer as f64 }
}

/// A message of an answer. Where no role is said, it is that of the message that stood there.
#[derive(Deserialize)]
struct Spoken {
    #[serde(default)]
    role: Option<Role>,
    content: String,
}

/// The body that holds this text: settings stay, and so do variables that only were declared.
fn body(text: String, base: &Body) -> Result<Body, RefinementError> {
    let draft = |content, messages| BodyDraft {
        kind: Some(base.kind),
        content,
        messages,
        template_format: base.template_format,
        variables: (base.template_format == TemplateFormat::SimpleFstring).then(|| base.variables.clone()),
        ..BodyDraft::default()
    };
    let refined = match &base.messages {
        None => draft(Some(text), None),
        Some(before) => draft(None, Some(messages(&text, before)?)),
    };
    let wrong = |violations: Vec<crate::Violation>| {
        let details: Vec<String> = violations.into_iter().map(|violation| violation.detail).collect();
        unusable(format!("the refined prompt is none that could be kept: {}", details.join("; ")))
    };
    let mut refined = refined.check().map_err(wrong)?;
    refined.variables = used(&refined, base);
    let used_before = used(base, base);
    let is_declared_only = |name: &&String| !used_before.contains(name) && !refined.variables.contains(name);
    let declared: Vec<String> = base.variables.iter().filter(is_declared_only).cloned().collect();
    refined.variables.extend(declared);
    let mut input_schema = base.input_schema.clone();
    input_schema.retain(|name, _| refined.variables.contains(name));
    Ok(Body { input_schema, config: base.config.clone(), ..refined })
}

/// The variables that a body uses. Of single braces only those mean something whose names were declared.
fn used(body: &Body, base: &Body) -> Vec<String> {
    let declared = (base.template_format == TemplateFormat::SimpleFstring).then_some(&*base.variables);
    let mut used: Vec<String> = Vec::new();
    for (_, text) in body.texts() {
        let Ok(template) = Template::parse(base.template_format, text, declared) else { continue };
        for name in template.variables() {
            if !used.contains(name) {
                used.push(name.clone());
            }
        }
    }
    used
}

fn messages(text: &str, before: &[Message]) -> Result<Vec<Message>, RefinementError> {
    let none =
        || unusable("the answer is no JSON array of messages with `role` and `content`; try again, or ask another");
    let inside = FENCED.captures(text).map_or(text, |found| found.get(1).map_or("", |inside| inside.as_str()));
    let spoken: Vec<Spoken> = serde_json::from_str(inside).map_err(|_| none())?;
    let is_same_length = spoken.len() == before.len();
    let role = |index: usize, said: Option<Role>| {
        said.or_else(|| before.get(index).filter(|_| is_same_length).map(|message| message.role)).ok_or_else(none)
    };
    let spoken = spoken.into_iter().enumerate();
    spoken.map(|(index, it)| Ok(Message { role: role(index, it.role)?, content: it.content })).collect()
}
