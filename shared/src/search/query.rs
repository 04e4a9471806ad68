//! The query language: words, "phrases", -word, word*, field:value. Whatever else stands in a query is looked for as it
//! is, so no query is wrong but one that is empty or too long.
use super::{
    filter::{Condition, Field, Filter},
    words::{self, Word},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
};

const BYTES_MAX: usize = 512;
const WORDS_MAX: usize = 32;

/// Something to look for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clause {
    /// Next to each other, in this order.
    pub(super) words: Vec<Word>,
    /// In quotes, so that nothing else will do.
    pub(super) quoted: bool,
    /// The last word may be unfinished.
    pub(super) open: bool,
    /// The last word is the beginning of one, as a star says.
    pub(super) star: bool,
}

/// What a query says.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    /// As it was written.
    pub(super) text: String,
    /// What to find.
    pub(super) clauses: Vec<Clause>,
    /// What not to find.
    pub(super) excluded: Vec<Clause>,
    /// What must be true of a hit.
    pub(super) filters: Vec<Filter>,
    /// Nothing was said at all, not even signs.
    pub(super) blank: bool,
}

impl Query {
    /// Reads a query.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refuse = |detail: String| Err(Error::invalid("/query", "too-long", detail));
        if text.len() > BYTES_MAX {
            return refuse(format!("`query` must have at most {BYTES_MAX} bytes, and has {}", text.len()));
        }
        let mut query = Self { text: text.to_owned(), ..Self::default() };
        query.blank = text.chars().all(|char| char.is_whitespace() || char.is_control());
        let mut rest = text;
        while let Some(start) = rest.find(|char: char| !char.is_whitespace()) {
            rest = query.piece(&rest[start..])?;
        }
        let words: usize = query.clauses.iter().chain(&query.excluded).map(|clause| clause.words.len()).sum();
        if words + query.filters.len() > WORDS_MAX {
            return refuse(format!("`query` must have at most {WORDS_MAX} words"));
        }
        // Who is still typing has not finished the last word.
        if let Some(last) = query.clauses.last_mut()
            && !(last.quoted || last.star)
            && text.ends_with(|char: char| char.is_alphanumeric())
        {
            last.open = last.words.last().is_some_and(|word| word.folded.chars().count() > 1);
        }
        Ok(query)
    }

    /// A word of the query, as it was typed.
    pub(super) fn as_typed(&self, folded: &str) -> String {
        let mut words = words::words(&self.text);
        let typed = words.find(|word| word.folded == folded).map(|word| self.text[word.span].to_owned());
        typed.unwrap_or_else(|| folded.to_owned())
    }

    /// Reads what stands at the beginning, and answers what stands after it.
    fn piece<'t>(&mut self, text: &'t str) -> Result<&'t str> {
        let (negated, positive) = match text.strip_prefix('-') {
            Some(after) if after.starts_with(|char: char| !char.is_whitespace() && char != '-') => (true, after),
            _ => (false, text),
        };
        if let Some((filter, rest)) = filter(positive, negated)? {
            self.filters.push(filter);
            return Ok(rest);
        }
        let (quoted, piece, rest) = if let Some((inside, rest)) = quoted(positive) {
            (true, inside, rest)
        } else {
            // A quote that is never closed, or that stands in a word, is a sign like others.
            let end = positive.find(char::is_whitespace).unwrap_or(positive.len());
            (false, &positive[..end], &positive[end..])
        };
        let (star, rest) = match rest.strip_prefix('*') {
            Some(after) if quoted => (true, after),
            _ => (!quoted && piece.ends_with('*'), rest),
        };
        let words: Vec<Word> = words::words(piece).collect();
        if !words.is_empty() {
            let clause = Clause { words, quoted, open: false, star };
            if negated { self.excluded.push(clause) } else { self.clauses.push(clause) }
        }
        Ok(rest)
    }
}

/// What stands in quotes at the beginning, and what stands after them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}

/// A condition at the beginning, and what stands after it.
fn filter(text: &str, negated: bool) -> Result<Option<(Filter, &str)>> {
    let Some(end) = text.find([':', '<', '>']) else { return Ok(None) };
    let (name, after) = text.split_at(end);
    if name == "updated" {
        return updated(after, negated);
    }
    let (Some(field), Some(value)) = (Field::of_query(name), after.strip_prefix(':')) else { return Ok(None) };
    let (value, rest) = value_and_rest(value);
    if value.is_empty() {
        return Ok(None);
    }
    let condition = Condition::OneOf(field, vec![value.to_owned()]);
    Ok(Some((Filter { condition, negated }, rest)))
}

fn value_and_rest(text: &str) -> (&str, &str) {
    quoted(text).unwrap_or_else(|| text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())))
}

fn updated(text: &str, negated: bool) -> Result<Option<(Filter, &str)>> {
    let signs = text.find(|char| !matches!(char, ':' | '<' | '>' | '=')).unwrap_or(text.len());
    let (sign, value) = (text[..signs].trim_start_matches(':'), &text[signs..]);
    let (value, rest) = value_and_rest(value);
    if value.is_empty() || !matches!(sign, ">" | ">=" | "<" | "<=") {
        return Ok(None);
    }
    let whole = if value.contains('T') { value.to_owned() } else { format!("{value}T00:00:00Z") };
    let moment: Timestamp = whole.parse().map_err(|_| {
        let detail = format!("`updated{sign}{value}` needs a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z");
        Error::invalid("/query", "not-a-date", detail)
    })?;
    let millis = moment.millis();
    let condition = match sign {
        ">" => Condition::UpdatedFrom(millis + 1),
        ">=" => Condition::UpdatedFrom(millis),
        "<" => Condition::UpdatedBefore(millis),
        _ => Condition::UpdatedBefore(millis + 1),
    };
    Ok(Some((Filter { condition, negated }, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<String> {
        let query = Query::parse(text).unwrap();
        let show = |sign: &str, clause: &Clause| {
            let words: Vec<&str> = clause.words.iter().map(|word| word.folded.as_str()).collect();
            let quote = if clause.quoted { "\"" } else { "" };
            let star = if clause.star {
                "*"
            } else if clause.open {
                "…"
            } else {
                ""
            };
            format!("{sign}{quote}{}{quote}{star}", words.join(" "))
        };
        let clauses = query.clauses.iter().map(|clause| show("", clause));
        let excluded = query.excluded.iter().map(|clause| show("-", clause));
        let filters = query.filters.iter().map(|filter| format!("{filter:?}"));
        clauses.chain(excluded).chain(filters).collect()
    }

    #[test]
    fn words_phrases_exclusions_and_stars() {
        assert_eq!(
            shape(r#"write "sea poem" -rhyme -"two words" ode* now "#),
            ["write", "\"sea poem\"", "ode*", "now", "-rhyme", "-\"two words\""]
        );
    }

    #[test]
    fn the_last_word_is_open_while_it_is_typed() {
        assert_eq!(shape("write poe"), ["write", "poe…"]);
        assert_eq!(shape("write poe "), ["write", "poe"]);
        assert_eq!(shape("write \"poe\""), ["write", "\"poe\""]);
        assert_eq!(shape("write a"), ["write", "a"]);
    }

    #[test]
    fn signs_are_literal() {
        assert_eq!(shape("foo-bar it's c++ "), ["foo bar", "it s", "cplusplus"]);
        assert_eq!(shape("AND NEAR( OR "), ["and", "near", "or"]);
        assert_eq!(shape("\"never closed "), ["never", "closed"]);
        assert_eq!(shape("col:x - -- -* "), ["col x"]);
        assert_eq!(shape("\" ((( *"), [""; 0]);
    }

    #[test]
    fn known_fields_are_conditions() {
        assert_eq!(shape("tag:a category:\"b c\" -status:draft updated>=2026-01-01 ").len(), 4);
        assert_eq!(shape("tag: x "), ["tag", "x"]);
        assert_eq!(Query::parse("updated>soon").unwrap_err().code(), "validation-failed");
    }

    #[test]
    fn a_query_has_bounds() {
        assert!(Query::parse(&"x".repeat(512)).is_ok());
        assert!(Query::parse(&"x".repeat(513)).is_err());
        assert!(Query::parse(&"x ".repeat(32)).is_ok());
        assert!(Query::parse(&"x ".repeat(33)).is_err());
        for blank in ["", "  ", "\0", "\t\0\u{3000}"] {
            assert!(Query::parse(blank).unwrap().blank, "{blank:?}");
        }
        assert!(!Query::parse("(((").unwrap().blank);
    }
}
