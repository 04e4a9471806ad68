//! Turns a file of prompts (CSV, TSV, JSON, NDJSON or YAML) into rows, each an object in the shape of the body of
//! `POST /prompts`. It says what it could not read and why; whether a row makes a valid prompt is decided elsewhere.

mod body;
mod lines;
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

/// The fields of the body of `POST /prompts`, in the order a row holds them.
const FIELDS: [&str; 12] = [
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
    /// Cells separated by commas, after a header that names the columns.
    Csv,
    /// The same with tabs.
    Tsv,
    /// One JSON document.
    Json,
    /// One JSON object to a line.
    Ndjson,
    /// One YAML document.
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
    /// The object, or why there is none: the end of a sentence that begins with [`Row::place`] and a colon.
    pub(crate) object: Result<Map<String, Value>, String>,
}

impl Row {
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
        Format::Csv => table::read(path, mapping, b',', about.is_file()),
        Format::Tsv => table::read(path, mapping, b'\t', about.is_file()),
        Format::Ndjson => lines::read(path, mapping, about.is_file()),
        Format::Json => whole::read(path, mapping, whole::json),
        Format::Yaml => whole::read(path, mapping, whole::yaml),
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
