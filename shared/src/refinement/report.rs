//! A result, as people read it.
use serde_json::Value;

use super::{Refined, model::SessionRow};
use crate::versions;

/// A document of Markdown: what was asked for, what came of it, and what changed.
pub(super) fn markdown(title: &str, session: &SessionRow, refined: &Refined) -> String {
    let model = session.model.as_ref().map_or_else(String::new, |model| format!(", model `{model}`"));
    let (text, diff) = (versions::readable(&refined.body), &refined.diff);
    let changes = if diff.identical { "None.".to_owned() } else { fenced("diff", &diff.unified) };
    let mut parts = vec![
        format!("# Refinement of {title}"),
        format!(
            "Prompt `{}`, version {}, by `{}`{model}. Session `{}`.",
            session.prompt_id, session.base_version, session.llm_service, session.id
        ),
        "## Instructions".to_owned(),
        quoted(&session.instructions),
        "## Result".to_owned(),
        fenced("", &text),
        "## Changes".to_owned(),
        changes,
    ];
    for (what, names) in [("Variables added", &diff.variables_added), ("Variables dropped", &diff.variables_removed)] {
        if !names.is_empty() {
            parts.push(format!("{what}: {}.", names.join(", ")));
        }
    }
    parts.extend(["## Rules".to_owned(), rules(&refined.lint)]);
    parts.join("\n\n")
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}\n")).collect::<String>().trim_end().to_owned()
}

/// In a fence that the text does not hold.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.strip_suffix('\n').unwrap_or(text))
}

fn rules(lint: &Value) -> String {
    let score = |side: &str| lint[side]["score"].as_u64().unwrap_or_default();
    let mut text = format!("Score {} before, {} after.\n", score("before"), score("after"));
    for (what, side) in [("New", "appeared"), ("Gone", "gone")] {
        for change in lint[side].as_array().into_iter().flatten() {
            let word = |key: &str| change[key].as_str().unwrap_or_default();
            let (rule, name, severity) = (word("rule"), word("name"), word("severity"));
            let line = format!("\n- {what}: {rule} {name} ({severity}), {} times", change["count"]);
            text.push_str(&line);
        }
    }
    text + "\n"
}
