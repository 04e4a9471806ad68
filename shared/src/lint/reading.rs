//! A text read once: lines, code, tags, examples, words and sentences, which the rules then look at.
use std::ops::Range;

use super::examples::{self, Example};
use super::lines::{self, Fence, Kind, Line, item_len};
use super::ranges::{around, cover, merge};
use super::tags::{self, Tags};
use crate::templates::Placeholder;

/// What is known of a text.
pub(super) struct Reading {
    /// The text, without hidden characters.
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
    pub(super) fences: Vec<Fence>,
    /// Blocks and pieces of code. A block that holds placeholders and nothing else delimits them, and is none.
    pub(super) code: Vec<Range<usize>>,
    pub(super) placeholders: Vec<Placeholder>,
    pub(super) tags: Tags,
    pub(super) examples: Vec<Example>,
    /// The words outside code and placeholders.
    pub(super) words: Vec<Word>,
    pub(super) sentences: Vec<Sentence>,
    /// Where the headings start, which is where sections do.
    pub(super) sections: Vec<usize>,
}

/// A word.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    /// In small letters, with straight apostrophes.
    pub(super) lower: String,
    /// Does it stand within quotes?
    pub(super) is_quoted: bool,
    /// Does it stand in an example?
    pub(super) is_example: bool,
    /// Is it in capitals, at least two of them?
    pub(super) is_capitals: bool,
}

/// A sentence, or what stands for one: an item, a heading.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// Which words.
    pub(super) words: Range<usize>,
    pub(super) is_heading: bool,
    pub(super) is_question: bool,
}

impl Reading {
    /// Reads a text whose placeholders are known.
    pub(super) fn new(text: String, placeholders: Vec<Placeholder>) -> Self {
        let (lines, fences) = lines::read(&text);
        let code = code(&text, &lines, &fences, &placeholders);
        let tags = tags::read(&text, &lines, &code);
        let examples = examples::read(&text, &lines, &tags);
        let starts = |line: &&Line| matches!(line.kind, Kind::Heading(_));
        let sections = lines.iter().filter(starts).map(|line| line.range.start).collect();
        let mut reading = Self {
            text,
            lines,
            fences,
            code,
            placeholders,
            tags,
            examples,
            words: Vec::new(),
            sentences: Vec::new(),
            sections,
        };
        reading.read_words();
        reading.read_sentences();
        reading
    }

    /// The number of the section a byte lies in.
    pub(super) fn section(&self, at: usize) -> usize {
        self.sections.partition_point(|start| *start <= at)
    }

    /// The bytes of some words.
    pub(super) fn bytes(&self, words: &Range<usize>) -> Range<usize> {
        self.words[words.start].range.start..self.words[words.end - 1].range.end
    }

    /// The line that a byte lies in.
    pub(super) fn line_at(&self, at: usize) -> &Line {
        let after = self.lines.partition_point(|line| line.range.start <= at);
        &self.lines[after.saturating_sub(1)]
    }

    /// The closed block of code, or of placeholders, around a byte.
    pub(super) fn fence_around(&self, at: usize) -> Option<&Fence> {
        let after = self.fences.partition_point(|fence| fence.inside.start <= at);
        let fence = after.checked_sub(1).map(|index| &self.fences[index])?;
        (fence.missing.is_none() && at < fence.inside.end).then_some(fence)
    }

    fn read_words(&mut self) {
        let placeholders = self.placeholders.iter().map(|placeholder| placeholder.range.clone());
        let skipped = merge(self.code.iter().cloned().chain(placeholders).chain(self.tags.ranges()).collect());
        let examples = merge(self.examples.iter().map(|example| example.range.clone()).collect());
        let mut words = Vec::new();
        for line in &self.lines {
            if matches!(line.kind, Kind::Blank | Kind::Fence | Kind::Code) {
                continue;
            }
            let quotes = quotes(&self.text, &line.range);
            let first = words.len();
            read_line(&self.text, &line.range, &skipped, &mut words);
            for word in &mut words[first..] {
                word.is_quoted = cover(&quotes, word.range.start);
                word.is_example = cover(&examples, word.range.start);
            }
        }
        self.words = words;
    }

    fn read_sentences(&mut self) {
        let mut sentences: Vec<Sentence> = Vec::new();
        let mut first = 0;
        let mut line = 0;
        for index in 0..self.words.len() {
            let word = &self.words[index].range;
            while self.lines[line].range.end < word.end {
                line += 1;
            }
            let next = self.words.get(index + 1).map(|next| next.range.start);
            let gap = &self.text[word.end..next.unwrap_or(self.text.len())];
            let gap = &gap[..gap.floor_char_boundary(200)];
            let goes_on = next.is_some_and(|next| self.continues(line, next)) && !ends_sentence(gap);
            if goes_on {
                continue;
            }
            sentences.push(Sentence {
                words: first..index + 1,
                is_heading: matches!(self.lines[line].kind, Kind::Heading(_)),
                is_question: gap.trim_start_matches(['"', '”', ')', '*']).starts_with(['?', '？']),
            });
            first = index + 1;
        }
        self.sentences = sentences;
    }

    /// Does the sentence on a line go on at a byte further down? It does within a paragraph or an item.
    fn continues(&self, line: usize, next: usize) -> bool {
        if next <= self.lines[line].range.end {
            return true;
        }
        let flows = matches!(self.lines[line].kind, Kind::Prose | Kind::Item);
        flows && self.lines.get(line + 1).is_some_and(|line| line.kind == Kind::Prose && next <= line.range.end)
    }
}

/// Does the text between two words end a sentence? A dot before a small letter does not: e.g. here.
fn ends_sentence(gap: &str) -> bool {
    let mut chars = gap.chars().peekable();
    while let Some(char) = chars.next() {
        let follows_blank = chars.peek().is_none_or(|next| next.is_whitespace() || "\"”')*".contains(*next));
        match char {
            '!' | '?' | ';' | '.' if follows_blank => return true,
            '。' | '！' | '？' => return true,
            _ => {}
        }
    }
    false
}

/// Blocks of code, but for those that delimit placeholders, and pieces of code within lines.
fn code(text: &str, lines: &[Line], fences: &[Fence], placeholders: &[Placeholder]) -> Vec<Range<usize>> {
    let mut code = Vec::new();
    for fence in fences.iter().filter(|fence| fence.missing.is_none()) {
        let first = placeholders.partition_point(|placeholder| placeholder.range.start < fence.inside.start);
        let mut at = fence.inside.start;
        let mut is_code = false;
        for placeholder in placeholders[first..].iter().take_while(|found| found.range.end <= fence.inside.end) {
            is_code |= placeholder.range.start > at && !text[at..placeholder.range.start].trim().is_empty();
            at = at.max(placeholder.range.end);
        }
        is_code |= at == fence.inside.start || !text[at..fence.inside.end].trim().is_empty();
        if is_code {
            code.push(fence.inside.clone());
        }
    }
    for line in lines.iter().filter(|line| !matches!(line.kind, Kind::Blank | Kind::Fence | Kind::Code)) {
        lines::inline_code(text, &line.range, &mut code);
    }
    merge(code)
}

/// What stands within double quotes on a line.
fn quotes(text: &str, line: &Range<usize>) -> Vec<Range<usize>> {
    let mut quotes = Vec::new();
    let mut open: Option<(char, usize)> = None;
    for (at, char) in text[line.clone()].char_indices() {
        match (char, open) {
            ('"', Some(('"', start))) | ('”', Some(('“', start))) | ('»', Some(('«', start))) => {
                quotes.push(line.start + start..line.start + at);
                open = None;
            }
            ('"' | '“' | '«', None) => open = Some((char, at)),
            _ => {}
        }
    }
    quotes
}

/// The words of a line, but for those that are skipped.
fn read_line(text: &str, line: &Range<usize>, skipped: &[Range<usize>], words: &mut Vec<Word>) {
    let content = &text[line.clone()];
    let indent = content.len() - content.trim_start().len();
    let mut at = line.start + indent + item_len(&content[indent..]);
    while at < line.end {
        if let Some(skip) = around(skipped, at) {
            at = skip.end;
            continue;
        }
        let rest = &text[at..line.end];
        let len = word_len(rest);
        if len == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let written = &rest[..len];
        words.push(Word {
            range: at..at + len,
            lower: written.to_lowercase().replace('’', "'"),
            is_quoted: false,
            is_example: false,
            is_capitals: len > 1 && written.chars().all(char::is_uppercase),
        });
        at += len;
    }
}

/// How many bytes at the start are a word. An apostrophe between letters is part of it.
fn word_len(text: &str) -> usize {
    let mut len = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let is_within =
            matches!(char, '\'' | '’') && at > 0 && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !(char.is_alphanumeric() || char == '_' || is_within) {
            break;
        }
        len = at + char.len_utf8();
    }
    len
}
