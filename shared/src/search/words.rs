//! What a text is made of for a search: its words, where they stand, and the terms they are found by.
//!
//! Both engines are given the same terms, so both find the same. A word is folded (see [`super::folding`]); its term is
//! the stem of that, spelt the American way. Letters and digits are words of their own, so `GPT-4`, `gpt4` and `gpt 4`
//! are the same words. Scripts without spaces have no words, so a run of them is cut into overlapping pairs.
use std::{ops::Range, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::folding::{fold, folded, is_unseen};
use crate::text::is_unspaced;

/// Longer words are found by their beginning. `PostgreSQL` would refuse them.
const TERM_CHARS_MAX: usize = 64;

/// Signs that make one word of two, besides apostrophes.
pub(super) const HYPHENS: [char; 4] = ['-', '\u{5be}', '\u{2010}', '\u{2011}'];

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// As words are compared.
    pub(super) folded: String,
    /// A run of a script that puts no spaces between words.
    pub(super) unspaced: bool,
    /// What is between it and the word before.
    pub(super) joint: Joint,
}

/// What is between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// Spaces or signs.
    Apart,
    /// A hyphen or an apostrophe, and nothing else.
    Hyphen,
    /// Nothing.
    Touching,
}

impl Word {
    /// What it is found by, in order.
    pub(super) fn terms(&self) -> Vec<String> {
        if self.unspaced { pairs(&self.folded) } else { vec![stem(&self.folded)] }
    }

    /// Of a run of a script without spaces: each of its terms, and where their characters stand in the text.
    pub(super) fn places(&self, text: &str) -> Vec<(String, Vec<Range<usize>>)> {
        let chars = folded(&text[self.span.clone()]);
        let at = |span: &Range<usize>| self.span.start + span.start..self.span.start + span.end;
        let place = |first: usize| {
            let pair = &chars[first..chars.len().min(first + 2)];
            (pair.iter().map(|(char, _)| char).collect(), pair.iter().map(|(_, span)| at(span)).collect())
        };
        (0..chars.len()).map(place).collect()
    }
}

/// Two words that a hyphen or an apostrophe makes one: `e-mail` is also found as `email`.
pub(super) struct Compound {
    /// The place of the first of the two.
    pub(super) first: usize,
    /// Both, without what is between them.
    pub(super) folded: String,
}

/// The compounds among words. What has more than two parts is none, as few people write it in one.
pub(super) fn compounds(words: &[Word]) -> impl Iterator<Item = Compound> {
    let hyphen = |place: usize| words.get(place).is_some_and(|word| word.joint == Joint::Hyphen);
    let is_letters = |word: &Word| !word.unspaced && word.folded.starts_with(char::is_alphabetic);
    words.windows(2).enumerate().filter_map(move |(first, pair)| {
        let [one, other] = pair else { return None };
        let is_compound = hyphen(first + 1) && !hyphen(first) && !hyphen(first + 2);
        // The `s` of possessives tells nothing.
        (is_compound && is_letters(one) && is_letters(other) && other.folded != "s").then(|| {
            let folded = format!("{}{}", one.folded, other.folded).chars().take(TERM_CHARS_MAX).collect();
            Compound { first, folded }
        })
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Unspaced,
    /// An accent, which belongs to what it stands on.
    Mark,
    /// Nobody sees it, so it divides nothing.
    Unseen,
    Between,
}

impl Class {
    fn begins_a_word(self) -> bool {
        matches!(self, Self::Letters | Self::Digits | Self::Unspaced)
    }
}

fn class(char: char) -> Class {
    match char {
        'a'..='z' | 'A'..='Z' => Class::Letters,
        '0'..='9' => Class::Digits,
        '\0'..='\x7f' => Class::Between,
        char if is_unseen(char) => Class::Unseen,
        char if is_unspaced(char) => Class::Unspaced,
        // Hangul has spaces, but words are written with their endings, so pairs find more; and half-width Hangul.
        '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' | '\u{ffa1}'..='\u{ffdc}' => {
            Class::Unspaced
        }
        // Letters that are written as apostrophes, and are typed as such.
        '\u{2b9}'..='\u{2bf}' => Class::Between,
        char if is_combining_mark(char) => Class::Mark,
        char if char.is_numeric() => Class::Digits,
        char if char.is_alphabetic() => Class::Letters,
        _ => Class::Between,
    }
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut rest = 0;
    let mut last_end = None;
    let runs = std::iter::from_fn(move || {
        let from = rest + text[rest..].find(|char| class(char).begins_a_word())?;
        let kind = text[from..].chars().next().map(class)?;
        let end = end_of_run(text, from, kind);
        let (name, end) = language(text, from, end);
        rest = end;
        let unspaced = kind == Class::Unspaced;
        let folded = name.unwrap_or_else(|| {
            let folded = fold(&text[from..end]);
            if unspaced { folded } else { folded.chars().take(TERM_CHARS_MAX).collect() }
        });
        let joint = last_end.replace(end).map_or(Joint::Apart, |last| joint(&text[last..from]));
        Some(Word { span: from..end, folded, unspaced, joint })
    });
    runs.filter(|word| !word.folded.is_empty())
}

fn end_of_run(text: &str, from: usize, kind: Class) -> usize {
    let mut end = from;
    for (at, char) in text[from..].char_indices() {
        match class(char) {
            Class::Unseen => {}
            its if its == kind || its == Class::Mark => end = from + at + char.len_utf8(),
            _ => break,
        }
    }
    end
}

fn joint(between: &str) -> Joint {
    let mut signs = between.chars().filter(|char| !is_unseen(*char) && !is_combining_mark(*char));
    match (signs.next(), signs.next()) {
        (None, _) => Joint::Touching,
        (Some(char), None) if HYPHENS.contains(&char) || matches!(char, '\'' | '\u{2b9}'..='\u{2bf}' | '\u{2019}') => {
            Joint::Hyphen
        }
        _ => Joint::Apart,
    }
}

/// `C++` and `C#` are words, and not `C`.
fn language(text: &str, from: usize, end: usize) -> (Option<String>, usize) {
    let letter = &text[from..end];
    if letter.len() == 1 && letter.as_bytes()[0].is_ascii_alphabetic() {
        for (sign, name) in [("++", "plusplus"), ("#", "sharp")] {
            let after = text[end..].strip_prefix(sign).and_then(|after| after.chars().next());
            if text[end..].starts_with(sign) && after.is_none_or(|char| class(char) == Class::Between && char != '#') {
                return (Some(letter.to_ascii_lowercase() + name), end + sign.len());
            }
        }
    }
    (None, end)
}

/// A word as people write it, but in lower case; one with signs as it is folded.
pub(super) fn written(word: &str, folded: &str) -> String {
    if word.chars().all(|char| class(char) != Class::Between) {
        let seen = word.nfc().filter(|char| !is_unseen(*char));
        seen.flat_map(char::to_lowercase).take(TERM_CHARS_MAX).collect()
    } else {
        folded.to_owned()
    }
}

/// What the forms of a word have in common: `summarises` and `summarizing` are `summar`.
pub(super) fn stem(folded: &str) -> String {
    if folded.len() < 3 || !folded.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return folded.to_owned();
    }
    ENGLISH.stem(&american(folded)).into_owned()
}

/// British endings as Americans spell them. Words that only look like it come out odd, in texts and queries alike.
fn american(word: &str) -> String {
    const ENDINGS: [(&str, &str); 16] = [
        ("isations", "izations"),
        ("isation", "ization"),
        ("ising", "izing"),
        ("isers", "izers"),
        ("ised", "ized"),
        ("iser", "izer"),
        ("ises", "izes"),
        ("ise", "ize"),
        ("ysing", "yzing"),
        ("ysed", "yzed"),
        ("yse", "yze"),
        ("ouring", "oring"),
        ("oured", "ored"),
        ("ours", "ors"),
        ("our", "or"),
        ("logue", "log"),
    ];
    if word.len() >= 6 {
        for (british, american) in ENDINGS {
            if let Some(start) = word.strip_suffix(british).filter(|start| start.len() >= 3) {
                return format!("{start}{american}");
            }
        }
    }
    word.to_owned()
}

/// Overlapping pairs of characters, and the last character alone: so both pairs and single characters are found.
fn pairs(run: &str) -> Vec<String> {
    let chars: Vec<char> = run.chars().collect();
    (0..chars.len()).map(|first| chars[first..chars.len().min(first + 2)].iter().collect()).collect()
}

/// What a run is looked for by: its pairs. A single character is the beginning of a pair.
pub(super) fn sought_pairs(run: &str) -> Vec<String> {
    let mut pairs = pairs(run);
    if pairs.len() > 1 {
        pairs.pop();
    }
    pairs
}

/// A name as names are compared: its words, folded.
pub(super) fn key(text: &str) -> String {
    words(text).map(|word| word.folded).collect::<Vec<_>>().join(" ")
}

/// Are two keys the same, wherever their words are divided?
pub(super) fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// Begins a key with another, wherever its words are divided?
pub(super) fn begins_with(key: &str, start: &str) -> bool {
    let mut its = letters(key);
    letters(start).all(|letter| its.next() == Some(letter))
}

fn letters(key: &str) -> impl Iterator<Item = char> {
    key.chars().filter(|char| *char != ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        words(text).flat_map(|word| word.terms()).collect()
    }

    #[test]
    fn words_are_folded_and_stemmed() {
        assert_eq!(terms("Summarises the Résumé, twice"), ["summar", "the", "resum", "twice"]);
        assert_eq!(terms("ﬁle ＡＢＣ straße"), ["file", "abc", "strass"]);
    }

    #[test]
    fn both_spellings_of_english_are_one() {
        for (british, american) in [
            ("summarise", "summarize"),
            ("organisation", "organization"),
            ("colour", "color"),
            ("behaviours", "behaviors"),
            ("analysing", "analyzing"),
            ("dialogue", "dialog"),
        ] {
            assert_eq!(stem(british), stem(american), "{british}");
        }
    }

    #[test]
    fn what_is_no_letter_separates() {
        assert_eq!(
            terms("user_id, foo-bar; it's a/b user@x.com"),
            ["user", "id", "foo", "bar", "it", "s", "a", "b", "user", "x", "com"]
        );
        assert_eq!(terms("\0\"*(): ^"), [""; 0]);
    }

    #[test]
    fn languages_with_signs_are_words() {
        assert_eq!(
            terms("C++ and c#, F#. C and a# b"),
            ["cplusplus", "and", "csharp", "fsharp", "c", "and", "asharp", "b"]
        );
        assert_eq!(terms("C++11 ## Title"), ["c", "11", "titl"]);
    }

    #[test]
    fn runs_without_spaces_are_cut_into_pairs() {
        assert_eq!(terms("写一首诗 ok"), ["写一", "一首", "首诗", "诗", "ok"]);
        assert_eq!(sought_pairs("首诗"), ["首诗"]);
        assert_eq!(sought_pairs("诗"), ["诗"]);
        assert_eq!(terms("ﾃｽﾄ"), ["テス", "スト", "ト"]);
        assert_eq!(terms("한국어"), ["한국", "국어", "어"]);
    }

    #[test]
    fn letters_and_digits_are_words_of_their_own() {
        let same = ["gpt", "4", "o"];
        for text in ["gpt4o", "GPT-4o", "gpt 4 O", "ＧＰＴ４ｏ", "gpt\u{ad}4o"] {
            assert_eq!(terms(text), same, "{text}");
        }
        assert_eq!(terms("x² ٣"), ["x", "2", "3"]);
    }

    #[test]
    fn what_nobody_sees_divides_nothing() {
        assert_eq!(
            terms("pass\u{200b}wo\u{ad}rd\u{2060} 葛\u{e0100}飾 می\u{200c}خواهم"),
            ["password", "葛飾", "飾", "ميخواهم"]
        );
        let text = "\u{200b}one\u{200b} two";
        let spans: Vec<&str> = words(text).map(|word| &text[word.span]).collect();
        assert_eq!(spans, ["one", "two"]);
    }

    #[test]
    fn two_words_with_a_hyphen_are_also_one() {
        let joined = |text: &str| {
            let words: Vec<Word> = words(text).collect();
            compounds(&words).map(|compound| compound.folded).collect::<Vec<_>>()
        };
        assert_eq!(joined("an e-mail, Wi‑Fi; don’t"), ["email", "wifi", "dont"]);
        assert_eq!(joined("gpt-4 state-of-the-art Anna's a - b c/d 写-一"), [""; 0]);
    }

    #[test]
    fn keys_are_compared_without_spaces() {
        assert!(is_same("e mail", "email") && !is_same("e mail", "emails"));
        assert!(begins_with("e mail helper", "emailh") && !begins_with("e", "email"));
    }

    #[test]
    fn a_long_run_without_spaces_is_whole() {
        assert_eq!(terms(&"写一".repeat(100)).len(), 200);
    }

    #[test]
    fn the_terms_of_a_run_lead_back_to_the_text() {
        let text = "x ｶﾞﾗｽ か\u{3099}";
        let places = |word: Word| word.places(text).into_iter();
        let found: Vec<(String, Vec<&str>)> = words(text)
            .filter(|word| word.unspaced)
            .flat_map(places)
            .map(|(term, spans)| (term, spans.into_iter().map(|span| &text[span]).collect()))
            .collect();
        let expected =
            [("ガラ", vec!["ｶﾞ", "ﾗ"]), ("ラス", vec!["ﾗ", "ｽ"]), ("ス", vec!["ｽ"]), ("が", vec!["か\u{3099}"])];
        assert_eq!(found, expected.map(|(term, spans)| (term.to_owned(), spans)));
    }

    #[test]
    fn spans_lead_back_to_the_text() {
        let text = "é 写一 C++!";
        let found: Vec<&str> = words(text).map(|word| &text[word.span]).collect();
        assert_eq!(found, ["é", "写一", "C++"]);
    }

    #[test]
    fn a_very_long_word_is_cut() {
        assert_eq!(terms(&"x".repeat(5_000))[0].len(), 64);
    }
}
