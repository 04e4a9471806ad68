//! How many tokens a prompt has (B01): as a tokenizer counted them, else estimated.
use super::found::{Found, Message};
use super::model::Options;
use super::prompt::Prompt;
use super::rules::{Rule, Severity};

const fn over(code: &'static str, fix: &'static str) -> Message {
    Message { rule: Rule::OverBudget, code, fix }
}

const CONTEXT: Message =
    over("over-context", "Shorten the prompt or choose a model with more room: with its answer it does not fit.");
const BUDGET: Message = over("over-budget", "Shorten the prompt, or raise its budget.");
const GROWN: Message = over("grown", "See whether the prompt needs to be a quarter longer than the version before.");

/// How many tokens a text has, more or less: four ASCII characters each, two of other letters, one ideograph.
pub(super) fn estimate(text: &str) -> usize {
    let quarters: usize = text
        .chars()
        .map(|char| match char {
            '\0'..='\u{7F}' => 1,
            '\u{2E80}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{10000}'.. => 4,
            _ => 2,
        })
        .sum();
    quarters.div_ceil(4)
}

pub(super) fn check(prompt: &Prompt<'_>, options: &Options, found: &mut Vec<Found>) {
    let (tokens, how) = match options.counted_tokens {
        Some(tokens) => (tokens, "counted"),
        None => (prompt.readings().map(|(_, reading)| estimate(&reading.text)).sum(), "estimated"),
    };
    let room = options.context_tokens.map(|context| context.saturating_sub(options.reserved_output_tokens));
    if let Some(room) = room.filter(|room| tokens > *room) {
        let evidence = format!("{tokens} tokens ({how}), room for {room}");
        found.push(Found::new(&CONTEXT).severity(Severity::Error).evidence(evidence));
    } else if tokens > options.budget_tokens {
        let evidence = format!("{tokens} tokens ({how}), budget {}", options.budget_tokens);
        found.push(Found::new(&BUDGET).evidence(evidence));
    }
    if let Some(previous) = options.previous_tokens.filter(|previous| *previous > 0 && tokens * 4 > previous * 5) {
        found.push(Found::new(&GROWN).evidence(format!("{tokens} tokens ({how}), before {previous}")));
    }
}
