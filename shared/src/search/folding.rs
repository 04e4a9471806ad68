//! Words as words are compared: in lower case, without what people leave out when they type.
//!
//! Folded are: compatible forms (full and half width, ligatures), case, accents and vowel marks that are optional in
//! their script, letters that only a stroke or a hook tells from another, digits of other scripts, and characters that
//! nobody sees. Vowel signs that are written as marks (those of India, Thailand, …) and the marks of Kana stay.
use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, compose, decompose_compatible, is_combining_mark};

/// A word as words are compared.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect();
    }
    folded(word).into_iter().map(|(char, _)| char).collect()
}

/// The characters of [`fold`], each with the bytes of the word that it comes from.
pub(super) fn folded(word: &str) -> Vec<(char, Range<usize>)> {
    let mut chars: Vec<(char, Range<usize>)> = Vec::new();
    for (at, char) in word.char_indices() {
        let span = at..at + char.len_utf8();
        let known = chars.len();
        decompose_compatible(char, |part| {
            if !is_left_out(part) {
                let lower = part.to_lowercase();
                chars.extend(lower.flat_map(plain).map(|letter| (letter, span.clone())));
            }
        });
        // What is left out belongs to what stands before it.
        if chars.len() == known
            && let Some((_, before)) = chars.last_mut()
        {
            before.end = span.end;
        }
    }
    let mut composed: Vec<(char, Range<usize>)> = Vec::with_capacity(chars.len());
    for (char, span) in in_canonical_order(chars) {
        if let Some((last, its)) = composed.last_mut()
            && let Some(whole) = compose(*last, char)
        {
            *last = whole;
            its.end = its.end.max(span.end);
        } else {
            composed.push((char, span));
        }
    }
    // Some signs for whole words come apart into letters and dots.
    composed.retain(|(char, _)| char.is_alphanumeric() || is_combining_mark(*char));
    composed
}

/// Marks on one letter in the order that Unicode gives them, so that it does not matter which was typed first.
fn in_canonical_order(mut chars: Vec<(char, Range<usize>)>) -> Vec<(char, Range<usize>)> {
    for marks in chars.chunk_by_mut(|(one, _), (other, _)| is_movable(*one) && is_movable(*other)) {
        marks.sort_by_key(|(char, _)| canonical_combining_class(*char));
    }
    chars
}

fn is_movable(char: char) -> bool {
    canonical_combining_class(char) != 0
}

/// Nobody sees it, and it does not part words: soft hyphens, joiners, directions, variants of shapes.
pub(super) fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Accents, and marks that are optional in their script: vowels of Arabic and Hebrew, titles of Cyrillic, the dot of
/// Devanagari's foreign sounds. And what only stretches a word.
fn is_left_out(char: char) -> bool {
    is_unseen(char)
        || matches!(char,
            '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}'
            | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' | '\u{711}'
            | '\u{730}'..='\u{74a}' | '\u{8ca}'..='\u{8ff}' | '\u{93c}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Where the digits of a script begin; they come in the order of their values.
const ZEROS: [u32; 12] = [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66];

/// What is typed for a small letter that has no decomposition; one or two letters.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let (one, other) = match letter {
        '\0'..='\x7f' => (letter, None),
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ƀ' | 'ɓ' => ('b', None),
        'đ' | 'ð' | 'ɖ' | 'ɗ' => ('d', None),
        'ə' | 'ǝ' | 'ɛ' => ('e', None),
        'ƒ' => ('f', None),
        'ǥ' | 'ɠ' => ('g', None),
        'ħ' => ('h', None),
        'ı' | 'ɨ' => ('i', None),
        'ƙ' => ('k', None),
        'ĸ' => ('q', None),
        'ł' | 'ƚ' => ('l', None),
        'ŋ' | 'ɲ' => ('n', None),
        'ø' | 'ɔ' | 'ɵ' => ('o', None),
        'ŧ' => ('t', None),
        'ʉ' => ('u', None),
        'ƴ' => ('y', None),
        'ƶ' => ('z', None),
        'ς' => ('σ', None),
        'ґ' | 'ғ' => ('г', None),
        'җ' => ('ж', None),
        'ҙ' => ('з', None),
        'қ' | 'ҡ' | 'ҝ' => ('к', None),
        'ң' | 'ҥ' => ('н', None),
        'ө' => ('о', None),
        'ҫ' => ('с', None),
        'ү' | 'ұ' => ('у', None),
        'ҳ' | 'һ' => ('х', None),
        'ҷ' | 'ҹ' => ('ч', None),
        'ә' => ('а', None),
        'ٱ' => ('ا', None),
        'ى' | 'ی' => ('ي', None),
        'ک' => ('ك', None),
        'ة' | 'ہ' | 'ھ' | 'ە' => ('ه', None),
        _ => (digit(letter).unwrap_or(letter), None),
    };
    std::iter::once(one).chain(other)
}

fn digit(char: char) -> Option<char> {
    let value = |zero: &u32| u32::from(char).checked_sub(*zero).filter(|value| *value < 10);
    ZEROS.iter().find_map(value).and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn what_people_type_for_one_another_is_the_same() {
        for same in [
            ["STRASSE", "straße", "STRAẞE"],
            ["Œuvre", "oeuvre", "OEUVRE"],
            ["łódka", "lodka", "ŁÓDKA"],
            ["Đà", "da", "đa"],
            ["ÞÓR", "thor", "þór"],
            ["DIYARBAKIR", "diyarbakır", "Diyarbakir"],
            ["Ærø", "aero", "ÆRØ"],
            ["ὈΔΌΣ", "οδος", "ὁδός"],
            ["ґрунт", "грунт", "ҐРУНТ"],
            ["ёлка", "елка", "ЁЛКА"],
            ["كِتَاب", "كتاب", "كـــتاب"],
            ["أحمد", "احمد", "إحمد"],
            ["علی", "علي", "على"],
            ["שָׁלוֹם", "שלום", "שׁלום"],
            ["co\u{ad}op", "coop", "co\u{200b}\u{2060}op"],
            ["ＡＢＣ", "abc", "ⓐⓑⓒ"],
            ["ｶﾞﾗｽ", "ガラス", "カ\u{3099}ラス"],
            ["가", "가", "ᄀ\u{1161}"],
            ["ज़मीन", "जमीन", "ज\u{93c}मीन"],
            ["٢٠٢٦", "2026", "۲۰۲۶"],
        ] {
            let folded = same.map(fold);
            assert!(folded[0] == folded[1] && folded[1] == folded[2], "{same:?}: {folded:?}");
        }
    }

    #[test]
    fn what_is_another_word_stays_another() {
        for (one, other) in [("की", "का"), ("กิน", "กัน"), ("か", "が"), ("は", "ぱ"), ("и", "і"), ("שם", "שמ")]
        {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn equivalent_texts_are_the_same() {
        for text in ["Việt Nam", "กำลัง", "พุ\u{e48}", "한국어", "हिन्दी क़लम", "ἀρχή", "בְּרֵאשִׁית", "مُؤْمِن", "が゙"]
        {
            let forms: [String; 4] =
                [text.nfc().collect(), text.nfd().collect(), text.nfkc().collect(), text.nfkd().collect()];
            let all: std::collections::BTreeSet<String> = forms.iter().map(|form| fold(form)).collect();
            assert_eq!(all.len(), 1, "{text}: {all:?}");
        }
    }

    #[test]
    fn each_character_says_where_it_comes_from() {
        let word = "e\u{301}ßx\u{200b}y";
        let places: Vec<(char, &str)> = folded(word).into_iter().map(|(char, span)| (char, &word[span])).collect();
        assert_eq!(places, [('e', "e\u{301}"), ('s', "ß"), ('s', "ß"), ('x', "x\u{200b}"), ('y', "y")]);
    }
}
