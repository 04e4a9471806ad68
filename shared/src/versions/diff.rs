//! What changed between two versions.
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};
use unicode_normalization::char::is_combining_mark;
use utoipa::ToSchema;

use super::{
    Body, Version,
    calls::{CallChange, broken_calls},
};
use crate::text::is_unspaced;

/// The search for the smallest difference ends here; what is found by then is right, only not the smallest.
const DEADLINE: Duration = Duration::from_millis(250);
/// Lines of context around a change.
const CONTEXT: usize = 3;

/// What changed from one version to another.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Diff {
    /// The version it starts from.
    pub from: i64,
    /// The version it leads to.
    pub to: i64,
    /// What is different.
    #[serde(flatten)]
    pub changes: Changes,
}

/// What differs between two bodies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// Are the contents the same, byte for byte?
    pub identical: bool,
    /// The contents, line by line, in the unified format; messages stand under their roles.
    pub unified: String,
    /// The contents, word by word; in scripts without spaces between words (Chinese, Japanese, Thai, Lao, Myanmar, Khmer)
    /// character by character.
    pub words: Vec<WordChange>,
    /// Variables only the second has.
    pub variables_added: Vec<String>,
    /// Variables only the first has.
    pub variables_removed: Vec<String>,
    /// Variables for which callers must change: a call that is right for the first may be refused by the second.
    #[serde(default)]
    pub callers_must_change: Vec<CallChange>,
    /// Everything else that differs: the template format, the input schema, the config.
    pub config_changes: Vec<ConfigChange>,
}

/// A run of words that stayed, came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordChange {
    /// What happened to it.
    pub change: WordChangeKind,
    /// The words, with the spaces between them.
    pub text: String,
}

/// What happened to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WordChangeKind {
    /// In both.
    Equal,
    /// Only in the first.
    Deleted,
    /// Only in the second.
    Inserted,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigChange {
    /// JSON Pointer into the version, `/config/temperature`.
    pub pointer: String,
    /// In the first; null, if it is not there.
    pub from: Value,
    /// In the second; null, if it is not there.
    pub to: Value,
}

/// Compares two versions. Takes up to half a second of one core for long contents.
#[must_use]
pub fn compare(from: &Version, to: &Version) -> Diff {
    let header = |version: i64| format!("version {version}");
    let changes = changes((&header(from.version), &from.body), (&header(to.version), &to.body));
    Diff { from: from.version, to: to.version, changes }
}

/// Compares two bodies under the names they have in a unified diff. Takes as long.
#[must_use]
pub fn changes((old_name, from): (&str, &Body), (new_name, to): (&str, &Body)) -> Changes {
    let (old, new) = (readable(from), readable(to));
    let mut config = TextDiff::configure();
    let config = config.timeout(DEADLINE);
    let unified =
        config.diff_lines(&old, &new).unified_diff().context_radius(CONTEXT).header(old_name, new_name).to_string();
    let words = join(config.diff_slices(&pieces(&old), &pieces(&new)).iter_all_changes().map(|change| {
        let kind = match change.tag() {
            ChangeTag::Equal => WordChangeKind::Equal,
            ChangeTag::Delete => WordChangeKind::Deleted,
            ChangeTag::Insert => WordChangeKind::Inserted,
        };
        (kind, change.value())
    }));
    let only_in = |a: &Body, b: &Body| a.variables.iter().filter(|name| !b.variables.contains(name)).cloned().collect();
    Changes {
        identical: old == new,
        unified,
        words,
        variables_added: only_in(to, from),
        variables_removed: only_in(from, to),
        callers_must_change: broken_calls(from, to),
        config_changes: config_changes(from, to),
    }
}

/// A text cut into words, the spaces between them, and the characters of scripts without spaces, each with its marks.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let mut before = None;
    for (at, char) in text.char_indices() {
        let kind = Piece::of(char);
        let is_mark = is_combining_mark(char) || matches!(char, '\u{ff9e}' | '\u{ff9f}');
        let goes_on = is_mark || before == Some(kind) && kind != Piece::Character;
        if at > 0 && !goes_on {
            pieces.push(&text[start..at]);
            start = at;
        }
        if !is_mark {
            before = Some(kind);
        }
    }
    pieces.extend(text.get(start..).filter(|last| !last.is_empty()));
    pieces
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Space,
    Word,
    Character,
}

impl Piece {
    fn of(char: char) -> Self {
        match char {
            char if char.is_whitespace() => Self::Space,
            char if is_unspaced(char) => Self::Character,
            _ => Self::Word,
        }
    }
}

/// What a body says, as one text: the content, or the messages, each under its role.
#[must_use]
pub fn readable(body: &Body) -> String {
    match (&body.content, &body.messages) {
        (Some(content), _) => content.clone(),
        (None, Some(messages)) => {
            messages.iter().map(|message| format!("[{}]\n{}\n", message.role, message.content)).collect()
        }
        (None, None) => String::new(),
    }
}

fn join<'a>(changes: impl Iterator<Item = (WordChangeKind, &'a str)>) -> Vec<WordChange> {
    let mut runs: Vec<WordChange> = Vec::new();
    for (change, text) in changes {
        match runs.last_mut() {
            Some(last) if last.change == change => last.text.push_str(text),
            _ => runs.push(WordChange { change, text: text.to_owned() }),
        }
    }
    runs
}

fn config_changes(from: &Body, to: &Body) -> Vec<ConfigChange> {
    let settings = |body: &Body| {
        let mut settings = Map::new();
        settings.insert("template_format".to_owned(), body.template_format.to_string().into());
        settings.insert("input_schema".to_owned(), serde_json::to_value(&body.input_schema).unwrap_or_default());
        settings.insert("config".to_owned(), Value::Object(body.config.clone()));
        settings
    };
    let mut changes = Vec::new();
    differences("", &settings(from), &settings(to), &mut changes);
    changes
}

/// Goes down as long as both sides are objects. The depth of a body is bounded at the door.
fn differences(pointer: &str, from: &Map<String, Value>, to: &Map<String, Value>, changes: &mut Vec<ConfigChange>) {
    let added = to.keys().filter(|key| !from.contains_key(*key));
    for key in from.keys().chain(added) {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (from.get(key), to.get(key)) {
            (Some(Value::Object(from)), Some(Value::Object(to))) => differences(&pointer, from, to, changes),
            (from, to) if from != to => {
                let (from, to) = (from.cloned().unwrap_or_default(), to.cloned().unwrap_or_default());
                changes.push(ConfigChange { pointer, from, to });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_compared_key_by_key() {
        let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let mut changes = Vec::new();
        differences(
            "/config",
            &object(r#"{"model": "a", "stop": ["x"], "nested": {"a/b": 1, "same": 2}}"#),
            &object(r#"{"model": "b", "stop": ["x"], "nested": {"same": 2}, "new": true}"#),
            &mut changes,
        );
        let pointers: Vec<_> = changes.iter().map(|change| change.pointer.as_str()).collect();
        assert_eq!(pointers, ["/config/model", "/config/nested/a~1b", "/config/new"]);
        assert_eq!(changes[1].to, Value::Null);
    }

    #[test]
    fn a_text_is_cut_where_a_word_or_a_character_ends() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("a  b\n", &["a", "  ", "b", "\n"]),
            ("写一首poem。 ok", &["写", "一", "首", "poem。", " ", "ok"]),
            ("か\u{3099}ｶﾞ葛\u{e0100}", &["か\u{3099}", "ｶﾞ", "葛\u{e0100}"]),
            ("한국어 글", &["한국어", " ", "글"]),
            ("\u{301}a", &["\u{301}", "a"]),
        ] {
            assert_eq!(pieces(text), expected, "{text:?}");
        }
    }

    #[test]
    fn neighbouring_words_of_one_kind_are_one_run() {
        use WordChangeKind::{Deleted, Equal, Inserted};
        let runs = join([(Equal, "a "), (Equal, "b "), (Deleted, "c"), (Inserted, "d")].into_iter());
        let runs: Vec<_> = runs.iter().map(|run| (run.change, run.text.as_str())).collect();
        assert_eq!(runs, [(Equal, "a b "), (Deleted, "c"), (Inserted, "d")]);
    }
}
