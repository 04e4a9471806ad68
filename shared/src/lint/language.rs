//! Which language a prompt is written in, as far as the rules need to know: one whose words they have, or another.
use super::model::Speaker;
use super::prompt::Part;
use super::words::{ENGLISH, FREQUENT, Lexicon};

/// How many letters are looked at.
const LETTERS_MAX: usize = 20_000;

/// The words of the prompt's language. A prompt that is too short to tell is taken for English.
pub(super) fn lexicon(parts: &[Part<'_>]) -> Option<&'static Lexicon> {
    let words = || parts.iter().filter(|part| part.speaker == Speaker::Instructor).flat_map(|part| &part.reading.words);
    let letters = words().flat_map(|word| word.lower.chars()).filter(|char| char.is_alphabetic());
    let (mut latin, mut other) = (0_usize, 0_usize);
    for char in letters.take(LETTERS_MAX) {
        match char {
            'a'..='z' | '\u{C0}'..='\u{24F}' => latin += 1,
            // A character of these scripts says as much as a few letters.
            '\u{2E80}'..='\u{D7FF}' | '\u{20000}'..='\u{3FFFF}' => other += 3,
            _ => other += 1,
        }
    }
    if other > latin {
        return None;
    }
    let mut hits = [0_usize; FREQUENT.len()];
    for word in words().take(LETTERS_MAX / 4) {
        for (count, frequent) in hits.iter_mut().zip(FREQUENT) {
            *count += usize::from(frequent.contains(&word.lower.as_str()));
        }
    }
    let [english, others @ ..] = hits;
    let another = others.into_iter().max().unwrap_or_default();
    (another < 3 || another <= english).then(|| &*ENGLISH)
}
