//! Prompts that say nearly the same: found by their words, compared by shingles.
use std::collections::{BTreeSet, HashSet};

use super::rules::UsageFinding;
use crate::{
    app::App,
    caller::Caller,
    drift,
    error::Result,
    lint::Severity,
    prompts::{self, Prompt, SearchRequest, Selector},
    stats::special::count,
};

/// Tokens in a row.
const SHINGLE: usize = 5;
/// Of two prompts, so many shingles in common make near duplicates.
const JACCARD: f64 = 0.9;
/// Shorter texts are alike by chance.
const TOKENS_MIN: usize = 20;
/// So many of a prompt's words are looked for.
const WORDS: usize = 8;
const CANDIDATES: i64 = 20;

/// D08: another prompt, which the caller may see, says nearly the same.
pub(super) async fn duplicate(app: &App, caller: &Caller, prompt: &Prompt) -> Result<Option<UsageFinding>> {
    let own = tokens(prompt);
    if own.len() < TOKENS_MIN {
        return Ok(None);
    }
    let query = words(&own).join(" ");
    let request = SearchRequest { query, limit: Some(CANDIDATES), ..SearchRequest::default() };
    let shingles = of(&own);
    for hit in prompts::search(app, caller, &request).await?.page.items {
        if hit.prompt.id == prompt.id {
            continue;
        }
        let found = prompts::find_in(&mut app.db.read().await?, caller, hit.prompt.id, &Selector::Latest).await?;
        let Some(other) = found else { continue };
        let jaccard = jaccard(&shingles, &of(&tokens(&other)));
        if jaccard >= JACCARD {
            let message = format!("`{}/{}` ({}) says nearly the same", other.category, other.name, other.id);
            let fix = "relate them as alternatives, or merge them";
            let n = own.len() as u64;
            let finding = UsageFinding::new(("D08", "near-duplicate"), Severity::Info, message, fix, n);
            return Ok(Some(finding.with([("shingle_jaccard", jaccard)])));
        }
    }
    Ok(None)
}

fn tokens(prompt: &Prompt) -> Vec<String> {
    prompt.body.texts().iter().flat_map(|(_, text)| drift::tokens(text)).collect()
}

/// The longest words, each once: those that few others have.
fn words(tokens: &[String]) -> Vec<&str> {
    let plain = |token: &&str| token.chars().all(|char| char.is_ascii_alphabetic());
    let words: BTreeSet<&str> = tokens.iter().map(String::as_str).filter(plain).collect();
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.truncate(WORDS);
    words
}

fn of(tokens: &[String]) -> HashSet<&[String]> {
    tokens.windows(SHINGLE).collect()
}

fn jaccard(these: &HashSet<&[String]>, those: &HashSet<&[String]>) -> f64 {
    let common = these.intersection(those).count() as u64;
    let either = these.len() as u64 + those.len() as u64 - common;
    if either == 0 { 0.0 } else { count(common) / count(either) }
}
