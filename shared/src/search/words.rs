//! What a text is made of for a search: its words, where they stand, and the terms they are found by.
//!
//! Both engines are given the same terms, so both find the same. A word is folded (lower case, no accents, one width);
//! its term is the stem of that, spelt the American way. Scripts without spaces have no words, so a run of them is cut
//! into overlapping pairs.
use std::{ops::Range, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longer words are found by their beginning. `PostgreSQL` would refuse them.
const TERM_CHARS_MAX: usize = 64;

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// In lower case, without accents.
    pub(super) folded: String,
    /// A run of a script that puts no spaces between words.
    pub(super) unspaced: bool,
}

impl Word {
    /// What it is found by, in order.
    pub(super) fn terms(&self) -> Vec<String> {
        if self.unspaced { pairs(&self.folded) } else { vec![stem(&self.folded)] }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Spaced,
    Unspaced,
    Between,
}

fn class(char: char) -> Class {
    match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Spaced,
        '\0'..='\x7f' => Class::Between,
        // Thai and Lao, Myanmar, Khmer, Kana, Han, Hangul, and the half and full widths of some.
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{30fa}'
        | '\u{30fc}'..='\u{318e}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}' => Class::Unspaced,
        char if char.is_alphanumeric() || is_combining_mark(char) => Class::Spaced,
        _ => Class::Between,
    }
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut rest = 0..text.len();
    let runs = std::iter::from_fn(move || {
        let from = rest.start + text[rest.clone()].find(|char| class(char) != Class::Between)?;
        let kind = text[from..].chars().next().map(class)?;
        let end = text[from..].find(|char| class(char) != kind).map_or(text.len(), |length| from + length);
        let (name, end) = language(text, from, end);
        rest.start = end;
        let folded = name.unwrap_or_else(|| fold(&text[from..end]));
        Some(Word { span: from..end, folded, unspaced: kind == Class::Unspaced })
    });
    // An accent without a letter leaves nothing.
    runs.filter(|word| !word.folded.is_empty())
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

/// A word in lower case, without accents, in one width.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().take(TERM_CHARS_MAX).map(|char| char.to_ascii_lowercase()).collect();
    }
    let bare = word.nfkd().filter(|char| !('\u{300}'..='\u{36f}').contains(char));
    let folded = bare.nfc().flat_map(char::to_lowercase);
    // Some signs for whole words come apart into letters and dots.
    folded.filter(|char| char.is_alphanumeric() || is_combining_mark(*char)).take(TERM_CHARS_MAX).collect()
}

/// A word as people write it, but in lower case; one with signs as it is folded.
pub(super) fn written(word: &str, folded: &str) -> String {
    if word.chars().all(|char| class(char) != Class::Between) {
        word.nfc().flat_map(char::to_lowercase).take(TERM_CHARS_MAX).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        words(text).flat_map(|word| word.terms()).collect()
    }

    #[test]
    fn words_are_folded_and_stemmed() {
        assert_eq!(terms("Summarises the Résumé, twice"), ["summar", "the", "resum", "twice"]);
        assert_eq!(terms("ﬁle ＡＢＣ straße"), ["file", "abc", "straße"]);
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
