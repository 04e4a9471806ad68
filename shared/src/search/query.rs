//! The query language: words, "phrases", -word, word*, field:value. Whatever else stands in a query is looked for as it
//! is, so no query is wrong but one that is empty or too long, or asks a field for what it can never have.
use unicode_normalization::char::is_combining_mark;

use super::{
    filter::{Condition, Field, Filter},
    find::Kind,
    words::{self, Joint, Word},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
};

const BYTES_MAX: usize = 512;
const WORDS_MAX: usize = 32;
/// `gpt4` is one word of two parts.
const PARTS_MAX: usize = 128;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

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

impl Clause {
    /// A single letter begins too many words.
    fn ends_in_several_letters(&self) -> bool {
        let touching = self.words.iter().rev().scan(true, |touches, word| {
            let its = *touches;
            *touches = word.joint == Joint::Touching;
            its.then_some(word)
        });
        touching.map(|word| word.folded.chars().count()).sum::<usize>() > 1
    }
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
    /// Signs were said that are neither words nor conditions.
    pub(super) signs: bool,
    /// The last of the words to find ends like one that is still being typed. Conditions and exclusions after it do not
    /// change how it is read.
    unfinished: bool,
}

impl Query {
    /// Reads a query for documents of a kind.
    pub(super) fn parse(text: &str, kind: Kind) -> Result<Self> {
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
        let words = || query.clauses.iter().chain(&query.excluded).flat_map(|clause| &clause.words);
        let apart = words().filter(|word| word.joint != Joint::Touching).count();
        if apart + query.filters.len() > WORDS_MAX {
            return refuse(format!("`query` must have at most {WORDS_MAX} words"));
        }
        if words().count() > PARTS_MAX {
            return refuse(format!("`query` must have at most {PARTS_MAX} runs of letters or digits"));
        }
        // Who is still typing has not finished the last word.
        let unfinished = query.unfinished && !text.ends_with(char::is_whitespace);
        if let Some(last) = query.clauses.last_mut()
            && !(last.quoted || last.star)
        {
            last.open = unfinished && last.ends_in_several_letters();
        }
        for filter in &query.filters {
            filter.condition.check(kind)?;
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
        // An empty pair of quotes is a sign, too.
        let is_sign = |char: char| !(char.is_whitespace() || char.is_control());
        self.signs |= words.is_empty() && (quoted || piece.contains(is_sign));
        if !negated {
            self.unfinished = piece.ends_with(|char: char| char.is_alphanumeric() || is_combining_mark(char));
        }
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

/// `updated:2026-01-31` is that day; `<`, `<=`, `>` and `>=` compare with a moment, which a day begins with.
fn updated(text: &str, negated: bool) -> Result<Option<(Filter, &str)>> {
    let signs = text.find(|char| !matches!(char, ':' | '<' | '>' | '=')).unwrap_or(text.len());
    let (written, value) = text.split_at(signs);
    let (value, rest) = value_and_rest(value);
    let sign = if written == ":" { ":" } else { written.trim_start_matches(':') };
    if value.is_empty() || !matches!(sign, ":" | ">" | ">=" | "<" | "<=") {
        return Ok(None);
    }
    let refuse = |needs: &str| {
        let detail = format!("`updated{sign}{value}` needs {needs}");
        Error::invalid("/query", "not-a-date", detail)
    };
    let millis = |text: &str| text.parse().ok().map(Timestamp::millis);
    let day = millis(&format!("{value}T00:00:00Z"));
    let time = match (sign, day, day.or_else(|| millis(value))) {
        (":", Some(day), _) => day..day + DAY_MILLIS,
        (":", ..) => return Err(refuse("a day like 2026-01-31")),
        (_, _, None) => return Err(refuse("a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z")),
        (">", _, Some(moment)) => moment + 1..i64::MAX,
        (">=", _, Some(moment)) => moment..i64::MAX,
        ("<", _, Some(moment)) => i64::MIN..moment,
        (_, _, Some(moment)) => i64::MIN..moment + 1,
    };
    Ok(Some((Filter { condition: Condition::Updated(time), negated }, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query> {
        Query::parse(text, Kind::Prompt)
    }

    fn shape(text: &str) -> Vec<String> {
        let query = parse(text).unwrap();
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
        assert_eq!(shape("write gpt4"), ["write", "gpt 4…"]);
        assert_eq!(shape("write ((poe (("), ["write", "poe"]);
    }

    #[test]
    fn conditions_and_exclusions_do_not_change_how_words_are_read() {
        for more in ["tag:x", "tag:\"a b\"", "-rhyme", "-\"two words\"", "-tag:x updated<2026-01-01"] {
            for text in ["write poe", "write \"poe\"", "write", "gpt-4"] {
                let (alone, with) = (parse(text).unwrap(), parse(&format!("{text} {more}")).unwrap());
                assert_eq!(alone.clauses, with.clauses, "{text} {more}");
            }
        }
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
        for refused in
            ["updated>soon", "updated:soon", "updated:2026-01-31T12:00:00Z", "status:nonsense", "-format:perl"]
        {
            assert_eq!(parse(refused).unwrap_err().code(), "validation-failed", "{refused}");
        }
        assert!(Query::parse("owner:me", Kind::Document).is_ok() && Query::parse("tag:x", Kind::Document).is_err());
    }

    #[test]
    fn a_day_is_the_time_between_two_midnights() {
        let day = parse("updated:2026-01-31").unwrap().filters.remove(0).condition;
        let (from, before) = (1_769_817_600_000, 1_769_904_000_000);
        assert_eq!(day, Condition::Updated(from..before));
    }

    #[test]
    fn a_query_has_bounds() {
        assert!(parse(&"x".repeat(512)).is_ok());
        assert!(parse(&"x".repeat(513)).is_err());
        assert!(parse(&"x ".repeat(32)).is_ok());
        assert!(parse(&"x ".repeat(33)).is_err());
        assert!(parse(&"gpt4 ".repeat(32)).is_ok());
        assert!(parse(&"x1".repeat(64)).is_ok() && parse(&"x1".repeat(65)).is_err());
        for blank in ["", "  ", "\0", "\t\0\u{3000}"] {
            assert!(parse(blank).unwrap().blank, "{blank:?}");
        }
        assert!(!parse("(((").unwrap().blank);
        for signs in ["(((", "\"\"", "-\"\"", "tag:x ?"] {
            assert!(parse(signs).unwrap().signs, "{signs:?}");
        }
        assert!(!parse("\0 tag:x").unwrap().signs);
    }
}
