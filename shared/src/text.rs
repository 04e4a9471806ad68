//! The rules of text that comes from outside: names, tags, sentences, contents.
use unicode_normalization::UnicodeNormalization;

use crate::error::Violation;

/// Names and categories.
pub const NAME_CHARS_MAX: usize = 255;
/// A tag.
pub const TAG_CHARS_MAX: usize = 64;
/// A description, a reason, a summary.
pub const SENTENCE_CHARS_MAX: usize = 4096;
/// A label.
const LABEL_CHARS_MAX: usize = 36;
/// What a message quotes of what a client sent.
const QUOTED_CHARS_MAX: usize = 200;
/// A sentence, in bytes.
pub const SENTENCE_BYTES_MAX: i64 = 4 * 4096;

/// An identifier as it is kept: trimmed, in Unicode's composed form (NFC). Refused: an empty or long one, and
/// characters that nobody sees or that turn the reading direction.
pub fn identifier(text: &str, pointer: &str, chars_max: usize) -> Result<String, Violation> {
    let text = composed(text);
    if text.is_empty() {
        return Err(Violation::new(pointer, "required", format!("`{}` must not be empty", field(pointer))));
    }
    if text.chars().count() > chars_max {
        let detail = format!("`{}` must have at most {chars_max} characters", field(pointer));
        return Err(Violation::new(pointer, "too-long", detail));
    }
    if let Some(hidden) = text.chars().find(|&char| is_hidden(char)) {
        let detail = format!("`{}` must not hold the invisible character {}", field(pointer), hidden.escape_unicode());
        return Err(Violation::new(pointer, "invisible-character", detail));
    }
    Ok(text)
}

/// An identifier that has a segment of an address to itself: `.` and `..` are refused too, since every client makes
/// another address of them.
pub fn name(text: &str, pointer: &str, chars_max: usize) -> Result<String, Violation> {
    let text = identifier(text, pointer, chars_max)?;
    if is_dots(&text) { Err(dots(pointer)) } else { Ok(text) }
}

/// A category: an identifier in which `/` parts folders, each of which has a name.
pub fn category(text: &str, pointer: &str, chars_max: usize) -> Result<String, Violation> {
    let text = identifier(text, pointer, chars_max)?;
    if text.split('/').any(|folder| folder.trim().is_empty()) {
        let field = field(pointer);
        let detail = format!("`{field}` must not begin or end with `/`, nor hold `//`: every folder has a name");
        return Err(Violation::new(pointer, "empty-folder", detail));
    }
    if text.split('/').any(is_dots) { Err(dots(pointer)) } else { Ok(text) }
}

/// A label: 1 to 36 of a few characters, and none that an address cannot hold.
pub fn label(text: &str, pointer: &str) -> Result<(), Violation> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if text.is_empty() || text.len() > LABEL_CHARS_MAX || !text.bytes().all(known) {
        let detail = "a label is 1 to 36 of the characters a-z, 0-9, `_`, `.` and `-`";
        return Err(Violation::new(pointer, "pattern", detail));
    }
    if is_dots(text) { Err(dots(pointer)) } else { Ok(()) }
}

/// RFC 3986 and every client take these for a step in a path, however they are written.
pub(crate) fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

fn dots(pointer: &str) -> Violation {
    let detail =
        format!("`{}` must not be `.` or `..`, nor have a folder of that name: no address leads there", field(pointer));
    Violation::new(pointer, "dot-segment", detail)
}

/// A name as it is kept, whichever spelling it is asked for in.
#[must_use]
pub fn composed(text: &str) -> String {
    text.trim().nfc().collect()
}

/// A text to look for. Nothing that is kept has a NUL in it, and `PostgreSQL` would not even take the question; the
/// empty text is no name either.
#[must_use]
pub fn sought(text: String) -> String {
    if text.contains('\0') { String::new() } else { text }
}

/// Free text as it came, or why it is refused: too long, or with a NUL in it.
pub fn sentence(text: &str, pointer: &str) -> Result<(), Violation> {
    if text.chars().count() > SENTENCE_CHARS_MAX {
        let detail = format!("`{}` must have at most {SENTENCE_CHARS_MAX} characters", field(pointer));
        return Err(Violation::new(pointer, "too-long", detail));
    }
    no_nul(text, pointer)
}

/// A sentence that must be there: refused too, if there is nothing in it to be read.
pub fn reason(text: &str, pointer: &str) -> Result<(), Violation> {
    if text.chars().all(|char| char.is_whitespace() || is_hidden(char)) {
        return Err(Violation::new(pointer, "required", format!("`{}` must say something", field(pointer))));
    }
    sentence(text, pointer)
}

/// No database and no C library is at ease with a NUL.
pub fn no_nul(text: &str, pointer: &str) -> Result<(), Violation> {
    if text.contains('\0') {
        let detail = format!("`{}` must not hold a NUL character", field(pointer));
        return Err(Violation::new(pointer, "nul-character", detail));
    }
    Ok(())
}

/// What a client sent, as a message may quote it: characters that nobody sees are spelt out, and what is long is cut.
#[must_use]
pub fn quoted(text: &str) -> String {
    printable(text, QUOTED_CHARS_MAX)
}

/// The same of a whole message that quotes it, with a bound of its own.
#[must_use]
pub fn printable(text: &str, chars_max: usize) -> String {
    let mut printable = String::new();
    for (place, char) in text.chars().enumerate() {
        if place == chars_max {
            printable.push('…');
            break;
        }
        if is_hidden(char) { printable.extend(char.escape_unicode()) } else { printable.push(char) }
    }
    printable
}

/// A character of a script that puts no spaces between words: Thai and Lao, Myanmar, Khmer, Kana and Han, in full and
/// half width.
#[must_use]
pub fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{30fa}' | '\u{30fc}'..='\u{3130}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// A text in one spelling: composed (NFC), and every character in the width it usually has, so that `ｶﾞ` is `ガ` and `Ａ`
/// is `A`.
#[must_use]
pub fn in_one_spelling(text: &str) -> String {
    let of_another_width = |char: char| matches!(char, '\u{ff01}'..='\u{ffee}');
    let mut usual = String::with_capacity(text.len());
    for char in text.chars() {
        if of_another_width(char) {
            usual.extend(std::iter::once(char).nfkd());
        } else {
            usual.push(char);
        }
    }
    usual.nfc().collect()
}

/// The last segment of a pointer, for people.
fn field(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// Control characters, bidirectional controls, zero-width and other characters without a shape.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_trimmed_and_composed() {
        assert_eq!(identifier("  Cafe\u{301} ", "/name", 255).unwrap(), "Café");
        assert_eq!(identifier("提示词 🚀", "/name", 255).unwrap(), "提示词 🚀");
    }

    #[test]
    fn no_name_folder_or_label_is_a_step_in_a_path() {
        for text in [".", "..", " .. "] {
            assert_eq!(name(text, "/name", 255).unwrap_err().code, "dot-segment", "{text}");
            assert_eq!(category(text, "/category", 255).unwrap_err().code, "dot-segment", "{text}");
        }
        for text in ["a/..", "../a", "a/./b"] {
            assert_eq!(category(text, "/category", 255).unwrap_err().code, "dot-segment", "{text}");
            assert!(name(text, "/name", 255).is_ok(), "in a name `/` is a character: {text}");
        }
        assert_eq!(
            (label(".", "/label").unwrap_err().code, label("..", "/label").unwrap_err().code),
            ("dot-segment", "dot-segment")
        );
        for text in ["...", ".a", "a.", "..a", "v1.2"] {
            assert!(
                name(text, "", 255).is_ok() && category(text, "", 255).is_ok() && label(text, "").is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_folder_has_a_name() {
        for text in ["/", "/a", "a/", "a//b", "a/ /b"] {
            assert_eq!(category(text, "/category", 255).unwrap_err().code, "empty-folder", "{text}");
        }
        assert_eq!(category(" a/b c/d ", "/category", 255).unwrap(), "a/b c/d");
    }

    #[test]
    fn a_quoted_text_is_short_and_can_be_seen() {
        assert_eq!(quoted("a\0b\u{202e}é"), "a\\u{0}b\\u{202e}é");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 201);
    }

    #[test]
    fn a_text_has_one_spelling() {
        for (text, usual) in [("ｶﾞﾗｽ", "ガラス"), ("か\u{3099}", "が"), ("Ａ１！", "A1!"), ("cafe\u{301} ﬁ²", "café ﬁ²")]
        {
            assert_eq!(in_one_spelling(text), usual);
        }
    }

    #[test]
    fn a_reason_says_something() {
        assert!(reason("no", "/reason").is_ok());
        for (text, code) in [("", "required"), (" \n\u{3000}\u{200b}", "required"), ("a\0", "nul-character")] {
            assert_eq!(reason(text, "/reason").unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(reason(&"x".repeat(4097), "/reason").unwrap_err().code, "too-long");
    }

    #[test]
    fn an_identifier_that_is_empty_long_or_hides_something_is_refused() {
        for (text, code) in [
            ("", "required"),
            (" \t ", "required"),
            (&"x".repeat(256), "too-long"),
            ("a\0b", "invisible-character"),
            ("a\r\nb", "invisible-character"),
            ("a\u{1b}[31mb", "invisible-character"),
            ("a\u{85}b", "invisible-character"),
            ("a\u{202e}b", "invisible-character"),
            ("a\u{200b}b", "invisible-character"),
        ] {
            assert_eq!(identifier(text, "/name", 255).unwrap_err().code, code, "{text:?}");
        }
        assert!(identifier(&"é".repeat(255), "/name", 255).is_ok());
    }
}
