//! Where what was looked for stands in a text, as HTML that nothing in the text can break out of.
//!
//! A text is cut into the same terms as for the index, so whatever a search finds in it is marked.
use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    ops::Range,
};

use super::{
    expression::{Expression, Phrase},
    ladder::is_stop_word,
    words::{self, Word},
};

/// Of a long text, a piece of so many terms is shown,
const SHOWN: usize = 30;
/// which begins so many terms before the first mark.
const BEFORE: usize = 6;
/// In a longer text nothing further is looked for.
const BYTES_MAX: usize = 64 * 1024;

/// Knows what to mark.
#[derive(Clone, Debug, Default)]
pub struct Marker {
    phrases: HashSet<Phrase>,
    /// The beginnings of single terms among them.
    beginnings: Vec<Phrase>,
    /// Those of several terms, by the first.
    longer: HashMap<String, Vec<Phrase>>,
}

/// A term of a text.
struct Term {
    /// As it stands in the index.
    indexed: String,
    /// The word as it is folded, which beginnings are compared with too; of a pair of characters, nothing.
    folded: Option<String>,
    span: Range<usize>,
    /// The first of a pair of characters; of a word, all of it.
    first: Range<usize>,
}

/// Something to mark, and what it was found by: equal numbers for equal things.
type Mark = (Range<usize>, usize);

impl Marker {
    /// Marks what this looks for.
    pub(super) fn learn(&mut self, expression: &Expression) {
        self.phrases.extend(expression.parts().flat_map(|any| &any.phrases).cloned());
    }

    /// The last to be called. Words that every text has are marked only where nothing else was looked for.
    pub(super) fn spare_stop_words(&mut self) {
        let is_stop = |phrase: &Phrase| matches!(phrase.terms.as_slice(), [term] if is_stop_word(term));
        if !self.phrases.iter().all(is_stop) {
            self.phrases.retain(|phrase| !is_stop(phrase));
        }
        for phrase in &self.phrases {
            match phrase.terms.as_slice() {
                [_] if phrase.open => self.beginnings.push(phrase.clone()),
                [first, _, ..] => self.longer.entry(first.clone()).or_default().push(phrase.clone()),
                _ => {}
            }
        }
    }

    /// The whole of a short text, with marks; nothing, if there is nothing to mark.
    #[must_use]
    pub fn whole(&self, text: &str) -> Option<String> {
        let (marks, _) = self.marks(text);
        (!marks.is_empty()).then(|| html(text, 0..text.len(), &marks))
    }

    /// The piece of a text that has the most of what was looked for; nothing, if there is nothing to mark.
    #[must_use]
    pub fn piece(&self, text: &str) -> Option<String> {
        let (marks, terms) = self.marks(text);
        let first = best(&marks, &terms)?;
        let from = terms.partition_point(|term| term.span.start < marks[first].0.start).saturating_sub(BEFORE);
        let last = (from + SHOWN).min(terms.len()) - 1;
        let start = if from == 0 { 0 } else { terms[from].span.start };
        let end = if last + 1 == terms.len() && text.len() <= BYTES_MAX { text.len() } else { terms[last].span.end };
        // A mark is shown whole.
        let end = marks.iter().find(|(mark, _)| mark.contains(&end)).map_or(end, |(mark, _)| mark.end);
        let piece = html(text, start..end.max(marks[first].0.end), &marks);
        let dots = |there: bool| if there { "…" } else { "" };
        Some(format!("{}{piece}{}", dots(start > 0), dots(end < text.len())))
    }

    /// What is marked, in order and apart from each other; and every term.
    fn marks(&self, text: &str) -> (Vec<Mark>, Vec<Term>) {
        let text = &text[..text.floor_char_boundary(BYTES_MAX)];
        let words: Vec<Word> = words::words(text).collect();
        let terms: Vec<Term> = words.iter().flat_map(|word| terms(text, word)).collect();
        let mut found: Vec<Mark> = Vec::new();
        for place in 0..terms.len() {
            self.mark(&terms[place..], &mut found);
        }
        for compound in words::compounds(&words) {
            let span = words[compound.first].span.start..words[compound.first + 1].span.end;
            self.mark(&[Term::of_word(compound.folded, span)], &mut found);
        }
        found.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut marks: Vec<Mark> = Vec::new();
        for (span, kind) in found {
            match marks.last_mut() {
                Some((last, _)) if last.end >= span.start => last.end = last.end.max(span.end),
                _ => marks.push((span, kind)),
            }
        }
        (marks, terms)
    }

    /// Marks what begins with the first of these terms.
    fn mark(&self, terms: &[Term], found: &mut Vec<Mark>) {
        let Some(first) = terms.first() else { return };
        if let Some(span) = self.single(first) {
            found.push(span);
        }
        for phrase in self.longer.get(&first.indexed).into_iter().flatten() {
            if terms.len() < phrase.terms.len() {
                continue;
            }
            let last = phrase.terms.len() - 1;
            let fits = |(place, term): (usize, &Term)| match &phrase.terms[place] {
                start if place == last && phrase.open => term.begins_with(start),
                whole => term.indexed == *whole,
            };
            let its = &terms[..=last];
            if its.iter().enumerate().all(fits) {
                let kind = std::ptr::from_ref(phrase) as usize;
                found.extend(its[..last].iter().map(|term| (term.span.clone(), kind)));
                found.push((its[last].span_of(phrase), kind));
            }
        }
    }

    /// Is the term looked for alone?
    fn single(&self, term: &Term) -> Option<Mark> {
        let whole = Phrase { terms: vec![term.indexed.clone()], open: false };
        let beginning = || self.beginnings.iter().find(|phrase| term.begins_with(&phrase.terms[0]));
        let phrase = self.phrases.get(&whole).or_else(beginning)?;
        Some((term.span_of(phrase), std::ptr::from_ref(phrase) as usize))
    }
}

impl Term {
    fn of_word(folded: String, span: Range<usize>) -> Self {
        Self { indexed: words::stem(&folded), folded: Some(folded), first: span.clone(), span }
    }

    fn begins_with(&self, start: &str) -> bool {
        self.indexed.starts_with(start) || self.folded.as_ref().is_some_and(|folded| folded.starts_with(start))
    }

    /// What a phrase that ends with this term finds of it: of a pair, perhaps the first character alone.
    fn span_of(&self, phrase: &Phrase) -> Range<usize> {
        if phrase.open { self.first.clone() } else { self.span.clone() }
    }
}

fn terms(text: &str, word: &Word) -> Vec<Term> {
    if !word.unspaced {
        return vec![Term::of_word(word.folded.clone(), word.span.clone())];
    }
    let term = |(indexed, spans): (String, Vec<Range<usize>>)| {
        let (first, last) = (spans[0].clone(), &spans[spans.len() - 1]);
        Term { indexed, folded: None, span: first.start..last.end, first }
    };
    word.places(text).into_iter().map(term).collect()
}

/// The mark that a piece should begin with: the one that has the most different marks near it.
fn best(marks: &[Mark], terms: &[Term]) -> Option<usize> {
    let number = |mark: &Range<usize>| terms.partition_point(|term| term.span.start < mark.start);
    let numbers: Vec<usize> = marks.iter().map(|(span, _)| number(span)).collect();
    // Each mark looks at the few after it, so this is linear.
    let variety = |first: usize| {
        let near = (first..marks.len()).take(SHOWN).take_while(|mark| numbers[*mark] < numbers[first] + SHOWN - BEFORE);
        near.map(|mark| marks[mark].1).collect::<HashSet<usize>>().len()
    };
    (0..marks.len()).max_by_key(|first| (variety(*first), std::cmp::Reverse(*first)))
}

fn html(text: &str, range: Range<usize>, marks: &[(Range<usize>, usize)]) -> String {
    let (mut html, mut from) = (String::new(), range.start);
    for (span, _) in marks.iter().filter(|(span, _)| span.start >= range.start && span.end <= range.end) {
        escape(&text[from..span.start], &mut html);
        html.push_str("<mark>");
        escape(&text[span.clone()], &mut html);
        html.push_str("</mark>");
        from = span.end;
    }
    escape(&text[from..range.end], &mut html);
    html
}

fn escape(text: &str, html: &mut String) {
    for char in text.chars() {
        match char {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(char),
            char if char.is_control() => write!(html, "\u{fffd}").expect("a String takes all text"),
            char => html.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{find::Kind, ladder::Ladder, query::Query, vocabulary::Vocabulary};

    fn marker(text: &str) -> Marker {
        let query = Query::parse(text, Kind::Prompt).unwrap();
        let (vocabulary, mut marker) = (Vocabulary::default(), Marker::default());
        marker.learn(&Ladder::new(&query, &vocabulary, 1).exact());
        marker.spare_stop_words();
        marker
    }

    #[test]
    fn forms_of_a_word_and_beginnings_are_marked() {
        let marked = marker("résumé runn").whole("Resumes: a runner, RUNNING").unwrap();
        assert_eq!(marked, "<mark>Resumes</mark>: a <mark>runner</mark>, <mark>RUNNING</mark>");
        assert_eq!(marker("poem ").whole("nothing here"), None);
    }

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        let marked = marker("script ").whole("<script>alert(\"x\" & 'y')</script>\u{1}").unwrap();
        assert_eq!(
            marked,
            "&lt;<mark>script</mark>&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/<mark>script</mark>&gt;\u{fffd}"
        );
    }

    #[test]
    fn runs_without_spaces_are_marked_where_they_stand() {
        assert_eq!(marker("诗歌").whole("写一首诗歌吧诗歌").unwrap(), "写一首<mark>诗歌</mark>吧<mark>诗歌</mark>");
        assert_eq!(marker("一首诗").whole("写一首诗歌").unwrap(), "写<mark>一首诗</mark>歌");
        assert_eq!(marker("诗").whole("一首诗歌").unwrap(), "一首<mark>诗</mark>歌");
        assert_eq!(marker("歌").whole("一首诗歌").unwrap(), "一首诗<mark>歌</mark>");
        assert_eq!(marker("首歌").whole("一首诗歌"), None);
    }

    #[test]
    fn whatever_form_it_is_written_in_the_same_is_marked() {
        for (query, text, marked) in [
            ("ガラス", "古いｶﾞﾗｽの", "古い<mark>ｶﾞﾗｽ</mark>の"),
            ("ｶﾞﾗｽ", "古いガラスの", "古い<mark>ガラス</mark>の"),
            ("がく", "か\u{3099}く。", "<mark>か\u{3099}く</mark>。"),
            (
                "한국",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}어",
                "<mark>\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}</mark>어",
            ),
            ("café ", "un cafe\u{301}", "un <mark>cafe\u{301}</mark>"),
            ("STRASSE ", "die Straße", "die <mark>Straße</mark>"),
            ("كتاب ", "كِتَاب", "<mark>كِتَاب</mark>"),
            ("password ", "the pass\u{200b}word", "the <mark>pass\u{200b}word</mark>"),
            ("gpt3 ", "GPT-3 or gpt 3", "<mark>GPT</mark>-<mark>3</mark> or <mark>gpt</mark> <mark>3</mark>"),
            ("gpt-3 ", "gpt3, 3", "<mark>gpt3</mark>, 3"),
            ("email ", "an e-mail", "an <mark>e-mail</mark>"),
            ("e-mail ", "an email", "an <mark>email</mark>"),
        ] {
            assert_eq!(marker(query).whole(text).as_deref(), Some(marked), "{query}");
        }
    }

    #[test]
    fn a_piece_of_a_long_text_has_the_most_marks() {
        let text = format!("{} alpha {} alpha beta {}", "x ".repeat(100), "y ".repeat(100), "z ".repeat(100));
        let piece = marker("alpha beta ").piece(&text).unwrap();
        assert!(piece.contains("<mark>alpha</mark> <mark>beta</mark>"), "{piece}");
        assert!(piece.starts_with('…') && piece.ends_with('…') && piece.len() < 200, "{piece}");
        assert_eq!(marker("x y ").piece("x y").unwrap(), "<mark>x</mark> <mark>y</mark>");
    }

    #[test]
    fn a_very_long_text_ends_in_time() {
        let text = "alpha ".repeat(100_000);
        assert!(marker("alpha ").piece(&text).unwrap().ends_with('…'));
    }
}
