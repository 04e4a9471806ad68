//! A prompt read for the rules: its parts, its variables, its language.
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::found::Place;
use super::hidden::Clean;
use super::language;
use super::model::{Content, Speaker, Text};
use super::reading::Reading;
use super::styles::{self, Foreign};
use super::words::Lexicon;
use crate::templates::{Fault, InputSchema, Placeholder, TemplateFormat, placeholders, unread};

/// One text of a prompt.
pub(super) struct Part<'t> {
    /// As it came.
    pub(super) original: &'t str,
    pub(super) clean: Clean,
    pub(super) reading: Reading,
    pub(super) speaker: Speaker,
    /// Placeholders that the format does not fill.
    pub(super) foreign: Vec<Foreign>,
    /// Braces that look like placeholders and are none, to the engine that fills it.
    pub(super) unread: Vec<Range<usize>>,
    /// The variables it uses once what nobody sees is taken out; nothing, if the format cannot read that.
    pub(super) meant: Option<Vec<String>>,
    /// Why the format cannot read it.
    pub(super) fault: Option<Fault>,
    line_starts: Vec<usize>,
}

impl Part<'_> {
    /// The line of a byte of the text as it came, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }
}

/// A prompt, read.
pub(super) struct Prompt<'t> {
    pub(super) parts: Vec<Part<'t>>,
    is_chat: bool,
    pub(super) format: TemplateFormat,
    pub(super) declared: Option<&'t [String]>,
    pub(super) schema: &'t InputSchema,
    pub(super) read_by_program: bool,
    /// The words of its language, if it is one we know.
    pub(super) lexicon: Option<&'static Lexicon>,
    /// The variables that are used, in order of first use.
    pub(super) used: Vec<String>,
    /// Where each is used first.
    pub(super) first_uses: HashMap<String, Place>,
}

impl<'t> Prompt<'t> {
    pub(super) fn read(text: &Text<'t>) -> Self {
        let (is_chat, messages) = match &text.content {
            Content::Whole(content) => (false, vec![(Speaker::Instructor, *content)]),
            Content::Messages(messages) => (true, messages.clone()),
        };
        let parts: Vec<Part<'t>> =
            messages.into_iter().map(|(speaker, content)| part(speaker, content, text)).collect();
        let mut prompt = Self {
            lexicon: language::lexicon(&parts),
            parts,
            is_chat,
            format: text.format,
            declared: text.declared,
            schema: text.schema,
            read_by_program: text.read_by_program,
            used: Vec::new(),
            first_uses: HashMap::new(),
        };
        for (index, part) in prompt.parts.iter().enumerate() {
            for placeholder in &part.reading.placeholders {
                for name in &placeholder.variables {
                    if !prompt.first_uses.contains_key(name) {
                        let place = Place { part: index, range: placeholder.range.clone() };
                        prompt.first_uses.insert(name.clone(), place);
                        prompt.used.push(name.clone());
                    }
                }
            }
        }
        prompt
    }

    /// The number of a part, if it is a message.
    pub(super) fn message(&self, part: usize) -> Option<usize> {
        self.is_chat.then_some(part)
    }

    /// The parts that instruct, with their numbers.
    pub(super) fn instructions(&self) -> impl Iterator<Item = (usize, &Reading)> {
        let instructs = |(_, part): &(usize, &Part<'t>)| part.speaker == Speaker::Instructor;
        self.parts.iter().enumerate().filter(instructs).map(|(index, part)| (index, &part.reading))
    }

    /// All parts, with their numbers.
    pub(super) fn readings(&self) -> impl Iterator<Item = (usize, &Reading)> {
        self.parts.iter().enumerate().map(|(index, part)| (index, &part.reading))
    }

    /// Every variable: the declared ones, then those that are only used.
    pub(super) fn variables(&self) -> Vec<&str> {
        let declared = self.declared.unwrap_or_default().iter().chain(self.schema.keys());
        let mut seen = HashSet::new();
        declared.chain(&self.used).map(String::as_str).filter(|name| seen.insert(*name)).collect()
    }
}

/// The engine reads the text as it came, and so are its placeholders looked for; the rules look at it without what nobody sees.
fn part<'t>(speaker: Speaker, original: &'t str, text: &Text<'_>) -> Part<'t> {
    let (content, clean) = Clean::read(original);
    let (mut found, fault) = match placeholders(text.format, original, text.declared) {
        Ok(found) => (found, None),
        Err(fault) => (Vec::new(), Some(fault)),
    };
    let names = |found: &[Placeholder]| found.iter().flat_map(|it| it.variables.clone()).collect();
    let meant = match (&fault, original == content) {
        (fault, true) => fault.is_none().then(|| names(&found)),
        (_, false) => placeholders(text.format, &content, text.declared).ok().map(|found| names(&found)),
    };
    for placeholder in &mut found {
        placeholder.range = clean.clean(&placeholder.range);
    }
    let unread = unread(text.format, original, text.declared).iter().map(|range| clean.clean(range)).collect();
    let reading = Reading::new(content.into_owned(), found);
    let foreign = styles::foreign(&reading, text.format);
    let newlines = original.match_indices('\n').map(|(at, _)| at + 1);
    let line_starts = std::iter::once(0).chain(newlines).collect();
    Part { original, clean, reading, speaker, foreign, unread, meant, fault, line_starts }
}
