//! Turns a file of prompts (CSV, TSV, JSON, NDJSON or YAML) into rows, each an object in the shape of the body of
//! `POST /prompts`. It says what it could not read and why; whether a row makes a valid prompt is decided elsewhere.

mod body;
mod delimiter;
mod lines;
mod records;
mod strict;
mod table;
#[cfg(test)]
mod tests;
mod whole;

use std::fmt::Display;
use std::fs::{self, File};
use std::path::Path;

use anyhow::anyhow;
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::yaml;

/// The fields of the body of `POST /prompts`, in the order a row holds them.
const FIELDS: [&str; 13] = [
    "category",
    "name",
    "content",
    "messages",
    "description",
    "type",
    "template_format",
    "is_template",
    "variables",
    "input_schema",
    "tags",
    "config",
    "change_summary",
];

/// The fields a file may keep under a name of its own.
const MAPPED: [&str; 5] = ["category", "name", "content", "description", "tags"];

/// Which of the file's columns (in JSON, NDJSON and YAML: keys) becomes which field of a prompt.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Mapping {
    /// What the file is written in [default: what its ending says]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// The column that holds the name [default: the first there is of `name`, `act`, `title`]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) name: Option<String>,

    /// The column that holds the text [default: the first there is of `content`, `prompt`, `text`, `template`]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) content: Option<String>,

    /// The column that holds the category [default: `category`, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) category: Option<String>,

    /// The category of a row that names none
    #[arg(long, value_name = "TEXT", default_value = "imported")]
    pub(crate) default_category: String,

    /// The column that holds the tags, separated by `;` or `,` or as a JSON array [default: `tags`, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) tags: Option<String>,

    /// The column that holds the description [default: `description`, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) description: Option<String>,

    /// A tag to give to every row; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) tag: Vec<String>,

    /// What separates the cells of a table: one sign, or `tab` [default: what the file itself or its header says]
    #[arg(long, value_name = "SIGN", value_parser = delimiter::parse)]
    pub(crate) delimiter: Option<u8>,

    /// Leave behind the columns and keys that are none of a prompt, and say which they were; otherwise they are refused
    #[arg(long)]
    pub(crate) ignore_unknown: bool,
}

impl Mapping {
    /// The column that was asked for by name to become `field`.
    fn chosen(&self, field: &str) -> Option<&str> {
        match field {
            "name" => self.name.as_deref(),
            "content" => self.content.as_deref(),
            "category" => self.category.as_deref(),
            "tags" => self.tags.as_deref(),
            "description" => self.description.as_deref(),
            _ => None,
        }
    }

    /// The columns that may become `field`; the first that is there does.
    fn columns<'a>(&'a self, field: &'a str) -> Vec<&'a str> {
        match (self.chosen(field), field) {
            (Some(column), _) => vec![column],
            (None, "name") => vec!["name", "act", "title"],
            (None, "content") => vec!["content", "prompt", "text", "template"],
            (None, _) => vec![field],
        }
    }
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Cells separated by commas, semicolons or tabs, after a header that names the columns.
    Csv,
    /// The same with tabs.
    Tsv,
    /// One JSON document.
    Json,
    /// One JSON object to a line.
    Ndjson,
    /// YAML 1.2, one document or several.
    Yaml,
}

impl Format {
    fn by_ending(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// One row of the file.
#[derive(Debug)]
pub(crate) struct Row {
    /// CSV: the record's number, 1 being the first after the header. JSON and YAML: its index from 1. NDJSON: its line.
    pub(crate) number: u64,
    /// The line it starts on, where that is known (CSV and NDJSON).
    pub(crate) line: Option<u64>,
    /// The object, or why there is none.
    pub(crate) object: Result<Map<String, Value>, Unreadable>,
    /// The columns or keys that were left behind, as they are shown.
    pub(crate) left: Vec<String>,
}

/// Why a row makes no object.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// The end of a sentence that begins with [`Row::place`] and a colon.
    pub(crate) why: String,
}

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self { code: "unreadable", why }
    }
}

impl From<&str> for Unreadable {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// The body of a prompt, and what was left behind of its row.
type Taken = (Map<String, Value>, Vec<String>);

impl Row {
    fn new(number: u64, line: Option<u64>, taken: Result<Taken, Unreadable>) -> Self {
        match taken {
            Ok((object, left)) => Self { number, line, object: Ok(object), left },
            Err(why) => Self { number, line, object: Err(why), left: Vec::new() },
        }
    }

    /// Where the row is, for a person: "row 12 (line 40)", "row 12" or, in NDJSON, "line 40".
    pub(crate) fn place(&self) -> String {
        match self.line {
            None => format!("row {}", self.number),
            // Only NDJSON counts its rows by line: a CSV row is always below its header, so its line is the greater.
            Some(line) if line == self.number => format!("line {line}"),
            Some(line) => format!("row {} (line {line})", self.number),
        }
    }
}

/// The rows of a file.
pub(crate) struct Rows {
    /// How many there are, unless the file can be read only once (a pipe).
    pub(crate) total: Option<u64>,
    /// What is to be said of the file as a whole.
    pub(crate) notes: Vec<String>,
    /// The rows in the file's order. CSV and NDJSON are read as they are asked for.
    pub(crate) iter: Box<dyn Iterator<Item = Row> + Send>,
}

/// Opens the file and reads what has to be read before its first row. It fails if the file as a whole cannot be read.
pub(crate) fn read(path: &Path, mapping: &Mapping) -> anyhow::Result<Rows> {
    let about = fs::metadata(path).map_err(|error| cannot_read(path, error))?;
    if about.is_dir() {
        return Err(cannot_read(path, "it is a directory"));
    }
    let format = mapping.format.or_else(|| Format::by_ending(path)).ok_or_else(|| {
        let known = "known are .csv, .tsv, .json, .ndjson, .jsonl, .yaml and .yml";
        cannot_read(path, format!("its ending does not say what it is ({known}); pass --format"))
    })?;
    match format {
        Format::Csv | Format::Tsv => table::read(path, mapping, format, about.is_file()),
        Format::Ndjson => lines::read(path, mapping, about.is_file()),
        // A name says little: many call lines of JSON so.
        Format::Json if mapping.format.is_none() && about.is_file() && lines::are_objects(path)? => {
            lines::read(path, mapping, true)
        }
        Format::Json => whole::read(path, mapping, whole::json),
        Format::Yaml => whole::read(path, mapping, yaml::documents),
    }
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).map_err(|error| cannot_read(path, error))
}

fn cannot_read(path: &Path, why: impl Display) -> anyhow::Error {
    anyhow!("cannot read `{}`: {}", path.display(), without_code(why))
}

/// An error's words without the system's number for it, which tells a person nothing more.
fn without_code(error: impl Display) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// A name out of the file, in a form that is safe to print: its control characters could steer the terminal.
fn shown(name: &str) -> String {
    let mut start: String = name.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if start.len() < name.len() {
        start.push('…');
    }
    format!("`{start}`")
}

/// What is wrong with names that are no field of a prompt, and what was perhaps meant.
fn unknown(names: &[&str], noun: &str) -> String {
    let meant = names.iter().filter_map(|name| Some(format!("{} is perhaps `{}`", shown(name), nearest(name)?)));
    let meant: String = meant.map(|meant| format!("{meant}; ")).collect();
    let (is, it) = if names.len() == 1 { (format!("a {noun}"), "it") } else { (format!("{noun}s"), "them") };
    format!(
        "{is} that no prompt has: {}; {meant}correct {it}, name {it} with a flag (--content …), or leave {it} behind with \
         --ignore-unknown",
        all_shown(names.iter().copied())
    )
}

/// The field that is written most like this name.
fn nearest(name: &str) -> Option<&'static str> {
    /// Less alike is another word.
    const ALIKE: f64 = 0.7;
    let plain = name.trim().to_lowercase();
    let likeness = |field: &str| strsim::normalized_damerau_levenshtein(field, &plain);
    let nearest = FIELDS.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (nearest != name && likeness(nearest) >= ALIKE).then_some(nearest)
}

/// Names out of the file as a list to read, cut short if there are very many.
fn all_shown<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let mut names: Vec<_> = names.into_iter().map(shown).collect();
    if names.len() > MOST {
        let rest = names.len() - MOST;
        names.truncate(MOST);
        names.push(format!("and {rest} more"));
    }
    names.join(", ")
}
