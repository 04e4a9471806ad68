//! How far apart two texts are. Pure; takes up to half a second of one core for the longest.
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices_deadline};
use unicode_normalization::char::is_combining_mark;

use super::model::{Comparison, Severity};
use crate::{
    lint::{self, Options, Tally},
    suggestions,
    text::{in_one_spelling, is_unspaced},
    versions::{Body, Version, broken_calls, readable},
};

/// So many pairs of characters are compared exactly; of larger texts only the lines that changed.
const PAIRS_MAX: usize = 25_000_000;
/// Of scripts without spaces, a run of so many characters is a word: most words of Chinese have two. A longer one counts by
/// the character.
const UNSPACED_WORD_CHARS: usize = 2;
/// The search for common tokens ends here; what is found by then is common, only perhaps not all of it.
const DEADLINE: Duration = Duration::from_millis(150);
/// Settings that say what shape an answer has.
const OUTPUT_SETTINGS: [&str; 4] = ["response_schema", "output_schema", "response_format", "json_schema"];

/// A version, and what is wrong with its text.
pub(super) struct Side<'v> {
    number: i64,
    body: &'v Body,
    tally: Tally,
}

impl<'v> Side<'v> {
    pub(super) fn read(version: &'v Version, options: &Options) -> Self {
        let Version { version: number, body, .. } = version;
        Self { number: *number, body, tally: lint::tally(&suggestions::text(body), options) }
    }
}

/// How alike two texts are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// 1 - Levenshtein distance / length of the longer, in characters.
    pub char_similarity: f64,
    /// Twice the tokens in common, in order, over the tokens of both.
    pub token_ratio: f64,
    /// Distinct tokens in both over distinct tokens in either.
    pub token_jaccard: f64,
    /// Tokens of the earlier and of the later.
    pub token_counts: [usize; 2],
}

/// Measures how alike two texts are, whichever of its spellings in Unicode a character has.
#[must_use]
pub fn similarity(old: &str, new: &str) -> Similarity {
    let (old, new) = (&in_one_spelling(old), &in_one_spelling(new));
    let (old_tokens, new_tokens) = (tokens(old), tokens(new));
    let lengths = old_tokens.len() + new_tokens.len();
    Similarity {
        char_similarity: char_similarity(old, new),
        token_ratio: if lengths == 0 { 1.0 } else { 2.0 * as_f64(common(&old_tokens, &new_tokens)) / as_f64(lengths) },
        token_jaccard: jaccard(&old_tokens, &new_tokens),
        token_counts: [old_tokens.len(), new_tokens.len()],
    }
}

/// Compares a version with an earlier one.
pub(super) fn compare(earlier: &Side<'_>, later: &Side<'_>) -> Comparison {
    let (before, after) = (earlier.body, later.body);
    let (old, new) = (readable(before), readable(after));
    let Similarity { char_similarity, token_ratio, token_jaccard, token_counts: [old_tokens, new_tokens] } =
        similarity(&old, &new);
    let variables_added = only_in(&after.variables, &before.variables);
    let variables_removed = only_in(&before.variables, &after.variables);
    let output_schema_changed = OUTPUT_SETTINGS.iter().any(|key| before.config.get(*key) != after.config.get(*key));
    let mut comparison = Comparison {
        compared_to: earlier.number,
        severity: Severity::Trivial,
        char_similarity,
        token_ratio,
        token_jaccard,
        tokens_delta_pct: 100.0 * (as_f64(new_tokens) - as_f64(old_tokens)) / as_f64(old_tokens.max(1)),
        variables_added,
        variables_removed,
        sections_added: only_in(&sections(&new), &sections(&old)),
        sections_removed: only_in(&sections(&old), &sections(&new)),
        callers_must_change: broken_calls(before, after),
        output_schema_changed,
        model_or_params_changed: settings(&before.config) != settings(&after.config),
        lint_delta: later.tally.since(&earlier.tally),
    };
    comparison.severity = severity(&comparison);
    comparison
}

fn severity(comparison: &Comparison) -> Severity {
    if !comparison.callers_must_change.is_empty() || comparison.output_schema_changed {
        return Severity::Breaking;
    }
    let is_other = comparison.token_ratio < 0.60 || comparison.tokens_delta_pct.abs() > 50.0;
    if is_other || !comparison.variables_removed.is_empty() {
        return Severity::Major;
    }
    if comparison.token_ratio < 0.95 { Severity::Minor } else { Severity::Trivial }
}

/// Runs of letters, digits and underscores in lower case, with their marks; every other character that is no space by
/// itself. In scripts without spaces, a run of more than two characters is as many tokens.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut word) = (Vec::new(), String::new());
    for c in text.chars().flat_map(char::to_lowercase) {
        let belongs = c.is_alphanumeric() || c == '_' || is_combining_mark(c) && !word.is_empty();
        let is_another =
            !is_combining_mark(c) && word.chars().next_back().is_some_and(|last| is_unspaced(last) != is_unspaced(c));
        if !belongs || is_another {
            take_word(&mut word, &mut tokens);
        }
        if belongs {
            word.push(c);
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    take_word(&mut word, &mut tokens);
    tokens
}

fn take_word(word: &mut String, tokens: &mut Vec<String>) {
    if word.contains(is_unspaced) && word.chars().count() > UNSPACED_WORD_CHARS {
        tokens.extend(word.drain(..).map(String::from));
    } else if !word.is_empty() {
        tokens.push(std::mem::take(word));
    }
}

/// How many tokens stand in both, in the same order.
fn common(old: &[String], new: &[String]) -> usize {
    let deadline = Some(Instant::now() + DEADLINE);
    let steps = capture_diff_slices_deadline(Algorithm::Myers, old, new, deadline);
    steps.iter().map(|step| if let DiffOp::Equal { len, .. } = step { *len } else { 0 }).sum()
}

fn jaccard(old: &[String], new: &[String]) -> f64 {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.iter().collect(), new.iter().collect());
    let either = old.union(&new).count();
    if either == 0 { 1.0 } else { as_f64(old.intersection(&new).count()) / as_f64(either) }
}

fn char_similarity(old: &str, new: &str) -> f64 {
    let (old_chars, new_chars) = (old.chars().count(), new.chars().count());
    let longer = old_chars.max(new_chars);
    if longer == 0 || old == new {
        return 1.0;
    }
    let distance = if old_chars.saturating_mul(new_chars) <= PAIRS_MAX {
        strsim::levenshtein(old, new)
    } else {
        distance_by_line(old, new)
    };
    1.0 - as_f64(distance.min(longer)) / as_f64(longer)
}

/// Of texts that are too long to compare character by character: what the changed lines cost. A run of them that is
/// itself too long counts as wholly different.
fn distance_by_line(old: &str, new: &str) -> usize {
    let diff = TextDiff::configure().timeout(DEADLINE).diff_lines(old, new);
    let (mut distance, mut pairs) = (0, PAIRS_MAX);
    for step in diff.ops() {
        let (mut gone, mut come) = (String::new(), String::new());
        for change in diff.iter_changes(step) {
            match change.tag() {
                ChangeTag::Delete => gone.push_str(change.value()),
                ChangeTag::Insert => come.push_str(change.value()),
                ChangeTag::Equal => {}
            }
        }
        let (gone_chars, come_chars) = (gone.chars().count(), come.chars().count());
        let cost = gone_chars.saturating_mul(come_chars);
        distance += if cost <= pairs { strsim::levenshtein(&gone, &come) } else { gone_chars.max(come_chars) };
        pairs = pairs.saturating_sub(cost);
    }
    distance
}

/// The headings of a text in Markdown.
fn sections(text: &str) -> Vec<String> {
    let heading = |line: &str| {
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim().to_owned())
    };
    text.lines().filter_map(heading).filter(|title| !title.is_empty()).collect()
}

/// The settings that do not say what shape an answer has.
fn settings(config: &Map<String, Value>) -> Map<String, Value> {
    let other = |(key, _): &(&String, &Value)| !OUTPUT_SETTINGS.contains(&key.as_str());
    config.iter().filter(other).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn only_in(these: &[String], those: &[String]) -> Vec<String> {
    let mut found: Vec<String> = these.iter().filter(|name| !those.contains(name)).cloned().collect();
    found.dedup();
    found
}

/// Lengths of texts are far below 2^32.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::BodyDraft;

    fn body(content: &str) -> Body {
        BodyDraft { content: Some(content.to_owned()), ..BodyDraft::default() }.check().unwrap()
    }

    fn compare(before: &Body, after: &Body) -> Comparison {
        let side = |body| Side { number: 1, body, tally: lint::tally(&suggestions::text(body), &Options::default()) };
        super::compare(&side(before), &side(after))
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn the_measures_are_those_of_their_definitions() {
        // Computed by an independent program from the same definitions.
        for (old, new, chars, ratio, jaccard) in [
            (
                "Summarise the text below in three bullet points.\n\n{{text}}",
                "Summarise the text below in five short bullet points.\n\n{{text}}",
                0.857_142_857_143,
                0.896_551_724_138,
                0.769_230_769_231,
            ),
            ("You are a helpful assistant.", "You are a helpful assistant.", 1.0, 1.0, 1.0),
            ("Résumé: naïve café 数据", "Resume: naive cafe 数据", 0.809_523_809_524, 0.4, 0.25),
        ] {
            let found = compare(&body(old), &body(new));
            near(found.char_similarity, chars);
            near(found.token_ratio, ratio);
            near(found.token_jaccard, jaccard);
        }
    }

    #[test]
    fn one_changed_character_of_a_script_without_spaces_is_no_rewrite() {
        for (old, new) in [
            ("请把下面的文字翻译成英文,并保持原来的语气。", "请把下面的文字翻译成法文,并保持原来的语气。"),
            ("以下の文章を三つの要点にまとめてください。", "以下の文章を五つの要点にまとめてください。"),
            ("สรุปข้อความต่อไปนี้เป็นสามข้อ", "สรุปข้อความต่อไปนี้เป็นห้าข้อ"),
        ] {
            let found = compare(&body(old), &body(new));
            assert!(found.token_ratio > 0.8 && found.char_similarity > 0.8, "{old}: {found:?}");
            assert!(matches!(found.severity, Severity::Trivial | Severity::Minor), "{old}: {found:?}");
        }
        let other = compare(&body("请把下面的文字翻译成英文。"), &body("写一首关于春天的诗歌吧!"));
        assert_eq!(other.severity, Severity::Major);
    }

    #[test]
    fn another_spelling_of_the_same_characters_is_no_change() {
        use unicode_normalization::UnicodeNormalization;
        let old = "Résumé: naïve café. 한국어 ガラス ἀρχή हिन्दी";
        for new in [
            old.nfd().collect::<String>(),
            old.replace("ガラス", "ｶﾞﾗｽ"),
            old.replace(": ", "： ").replace("naï", "ｎａï"),
        ] {
            let Similarity { char_similarity, token_ratio, token_jaccard, .. } = similarity(old, &new);
            let found = [char_similarity, token_ratio, token_jaccard];
            assert_eq!(found.map(f64::to_bits), [1.0_f64.to_bits(); 3], "{new}: {found:?}");
        }
    }

    #[test]
    fn tokens_are_words_signs_and_characters_of_scripts_without_spaces() {
        let expected = ["gpt4", "数据", "的", ",", "数", "据", "库", "हिन्दी", "x_1"];
        assert_eq!(tokens("GPT4数据 的,数据库 हिन्दी x_1"), expected);
    }

    #[test]
    fn what_callers_must_change_for_is_breaking() {
        let severity = |old: &str, new: &str| compare(&body(old), &body(new)).severity;
        let long =
            "Say hello to the person in front of you, and be as kind as you can be while you do it, please. {{a}}";
        assert_eq!(severity(long, long), Severity::Trivial);
        assert_eq!(severity(long, &long.replace("kind as", "friendly as")), Severity::Trivial);
        assert_eq!(severity(long, &long.replace("in front of you", "at the door")), Severity::Minor);
        assert_eq!(severity(long, "Write nothing but {{a}} in capitals."), Severity::Major);
        assert_eq!(severity(long, &long.replace("{{a}}", "{{b}}")), Severity::Breaking);
        assert_eq!(severity(long, &format!("{long} {{{{b}}}}")), Severity::Breaking);
    }

    #[test]
    fn long_texts_are_compared_by_what_changed() {
        let old: String = (0..3_000).map(|n| format!("line {n} of the old text\n")).collect();
        let same_but_one = compare(&body(&old), &body(&old.replace("line 7 of", "line seven of")));
        assert!(same_but_one.char_similarity > 0.999);
        let other: String = (0..3_000).map(|n| format!("{n}. nothing is as it was\n")).collect();
        let nothing_alike = compare(&body(&old), &body(&other));
        assert!(nothing_alike.char_similarity < 0.5);
    }
}
