//! Where the words of a query stand in a text, as HTML that nothing in the text can break out of.
use std::{collections::HashSet, fmt::Write, ops::Range};

use super::{
    expression::Expression,
    ladder::is_stop_word,
    query::Query,
    words::{self, Word},
};

/// Of a long text, a piece of so many words is shown,
const SHOWN: usize = 30;
/// which begins so many words before the first mark.
const BEFORE: usize = 6;
/// In a longer text no further words are looked for.
const BYTES_MAX: usize = 64 * 1024;

/// Knows what to mark.
#[derive(Clone, Debug, Default)]
pub struct Marker {
    stems: HashSet<String>,
    beginnings: Vec<String>,
    runs: Vec<String>,
}

impl Marker {
    /// Marks what this looks for.
    pub(super) fn learn(&mut self, expression: &Expression) {
        for phrase in expression.parts().flat_map(|any| &any.phrases) {
            let closed = phrase.terms.len() - usize::from(phrase.open);
            self.stems.extend(phrase.terms[..closed].iter().cloned());
            self.beginnings.extend(phrase.terms[closed..].iter().cloned());
        }
    }

    /// Words that every text has are marked only where nothing else was looked for.
    pub(super) fn spare_stop_words(&mut self) {
        if self.stems.iter().chain(&self.beginnings).any(|term| !is_stop_word(term)) {
            self.stems.retain(|term| !is_stop_word(term));
            self.beginnings.retain(|term| !is_stop_word(term));
        }
    }

    /// Pairs of characters say too little: of scripts without spaces, the runs of the query are marked.
    pub(super) fn learn_runs(&mut self, query: &Query) {
        let words = query.clauses.iter().flat_map(|clause| &clause.words);
        self.runs.extend(words.filter(|word| word.unspaced).map(|word| word.folded.clone()));
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
        let (marks, words) = self.marks(text);
        let first = best(&marks, &words)?;
        let from = words.partition_point(|word| word.span.start < marks[first].0.start).saturating_sub(BEFORE);
        let last = (from + SHOWN).min(words.len()) - 1;
        let start = if from == 0 { 0 } else { words[from].span.start };
        let end = if last + 1 == words.len() && text.len() <= BYTES_MAX { text.len() } else { words[last].span.end };
        let piece = html(text, start..end.max(marks[first].0.end), &marks);
        let dots = |there: bool| if there { "…" } else { "" };
        Some(format!("{}{piece}{}", dots(start > 0), dots(end < text.len())))
    }

    /// What is marked, with the number of what it was found by; and every word.
    fn marks(&self, text: &str) -> (Vec<(Range<usize>, usize)>, Vec<Word>) {
        let mut end = text.len().min(BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let words: Vec<Word> = words::words(&text[..end]).collect();
        let mut marks = Vec::new();
        for word in &words {
            if word.unspaced {
                self.mark_run(text, word, &mut marks);
            } else if let Some(kind) = self.kind(word) {
                marks.push((word.span.clone(), kind));
            }
        }
        (marks, words)
    }

    /// Which of the things that are looked for a word is; some number that is equal for equal things.
    fn kind(&self, word: &Word) -> Option<usize> {
        let stem = words::stem(&word.folded);
        if let Some(found) = self.stems.get(&stem) {
            return Some(found.as_ptr() as usize);
        }
        self.beginnings
            .iter()
            .position(|start| word.folded.starts_with(start.as_str()) || stem.starts_with(start.as_str()))
    }

    fn mark_run(&self, text: &str, run: &Word, marks: &mut Vec<(Range<usize>, usize)>) {
        let written = &text[run.span.clone()];
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        for (kind, sought) in self.runs.iter().enumerate() {
            let places = written.match_indices(sought.as_str());
            found.extend(places.map(|(place, part)| {
                let start = run.span.start + place;
                (start..start + part.len(), kind)
            }));
        }
        found.sort_by_key(|(span, _)| span.start);
        for (span, kind) in found {
            match marks.last_mut() {
                Some((last, _)) if last.end > span.start => last.end = last.end.max(span.end),
                _ => marks.push((span, kind)),
            }
        }
    }
}

/// The mark that a piece should begin with: the one that has the most different marks near it.
fn best(marks: &[(Range<usize>, usize)], words: &[Word]) -> Option<usize> {
    let number = |mark: &Range<usize>| words.partition_point(|word| word.span.start < mark.start);
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
    use crate::search::{ladder::Ladder, vocabulary::Vocabulary};

    fn marker(text: &str) -> Marker {
        let (query, vocabulary, mut marker) = (Query::parse(text).unwrap(), Vocabulary::default(), Marker::default());
        marker.learn(&Ladder::new(&query, &vocabulary, 1).exact());
        marker.learn_runs(&query);
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
    }

    #[test]
    fn a_piece_of_a_long_text_has_the_most_marks() {
        let text = format!("{} alpha {} alpha beta {}", "x ".repeat(100), "y ".repeat(100), "z ".repeat(100));
        let piece = marker("alpha beta ").piece(&text).unwrap();
        assert!(piece.contains("<mark>alpha</mark> <mark>beta</mark>"), "{piece}");
        assert!(piece.starts_with('…') && piece.ends_with('…') && piece.len() < 200, "{piece}");
        assert_eq!(marker("a b ").piece("a b").unwrap(), "<mark>a</mark> <mark>b</mark>");
    }

    #[test]
    fn a_very_long_text_ends_in_time() {
        let text = "alpha ".repeat(100_000);
        assert!(marker("alpha ").piece(&text).unwrap().ends_with('…'));
    }
}
