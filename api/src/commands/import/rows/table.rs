//! Reads CSV and TSV, a record at a time: a bad record costs only itself, and a cell's text is kept byte for byte.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use serde_json::Map;

use super::delimiter::Head;
use super::records::{Fault, Record, Records};
use super::{
    FIELDS, Format, Mapping, Row, Rows, Taken, Unreadable, all_shown, body, cannot_read, open, shown, unknown,
    without_code,
};

pub(super) fn read(path: &Path, mapping: &Mapping, format: Format, is_countable: bool) -> anyhow::Result<Rows> {
    let (mut records, delimiter) = start(path, mapping, format).map_err(|why| cannot_read(path, why))?;
    let header = header(&mut records).map_err(|why| cannot_read(path, why))?;
    let columns = Columns::find(header, mapping).map_err(|why| cannot_read(path, why))?;
    columns.refuse_unknown(mapping).map_err(|why| cannot_read(path, why))?;
    let total = if is_countable { Some(count(path, delimiter)?) } else { None };
    let rows = TableRows { records, columns, mapping: mapping.clone(), number: 0, has_failed: false };
    Ok(Rows { total, notes: Vec::new(), iter: Box::new(rows) })
}

type Table = Records<Chain<Cursor<Vec<u8>>, File>>;

/// Opens the table, and answers what separates its cells.
fn start(path: &Path, mapping: &Mapping, format: Format) -> Result<(Table, u8), String> {
    let mut file = open(path).map_err(|error| error.to_string())?;
    let head = Head::read(&mut file).map_err(without_code)?;
    let delimiter = match (mapping.delimiter.or(head.named), format) {
        (Some(delimiter), _) => delimiter,
        (None, Format::Tsv) => b'\t',
        (None, _) => head.guess(|header| Columns::find(header.to_vec(), mapping).is_ok()),
    };
    let line = head.line;
    Ok((Records::new(Cursor::new(head.bytes).chain(file), delimiter, line), delimiter))
}

/// How many records follow the header, as far as the file can be read.
fn count(path: &Path, delimiter: u8) -> anyhow::Result<u64> {
    let mut file = open(path)?;
    let head = Head::read(&mut file).map_err(|error| cannot_read(path, without_code(error)))?;
    let mut records = Records::new(Cursor::new(head.bytes).chain(file), delimiter, head.line);
    let mut count: u64 = 0;
    while let Ok(Some(_)) = records.next() {
        count += 1;
    }
    Ok(count.saturating_sub(1))
}

/// The names of the columns.
fn header(records: &mut Table) -> Result<Vec<String>, String> {
    let Some(record) = records.next().map_err(without_code)? else {
        return Err("it is empty; its first line has to name the columns".to_owned());
    };
    let names: Result<Vec<String>, _> = record.cells.into_iter().map(String::from_utf8).collect();
    let names = names.map_err(|_| "it is not UTF-8 text")?;
    let name = |index: usize| names.get(index).map_or(String::new(), |name| shown(name.trim()));
    match record.fault {
        None => Ok(names),
        Some(Fault::NeverClosed) => {
            Err("its first line, which names the columns, has a quote that is never closed".to_owned())
        }
        Some(Fault::TextAfterQuote(index)) => {
            Err(format!("its first line, which names the columns, has text after a closing quote in {}", name(index)))
        }
        Some(Fault::BlanksBeforeQuote(index)) => {
            Err(format!("its first line, which names the columns, has blanks before a quote in {}", name(index)))
        }
    }
}

/// Which cell becomes which field.
struct Columns {
    header: Vec<String>,
    fields: Vec<(&'static str, usize)>,
}

impl Columns {
    /// Names match whatever their case, and without blanks around them.
    fn find(header: Vec<String>, mapping: &Mapping) -> Result<Self, String> {
        let header: Vec<String> = header.into_iter().map(|name| name.trim().to_owned()).collect();
        let has = || all_shown(header.iter().map(String::as_str));
        let mut fields = Vec::new();
        for field in FIELDS {
            let wanted = mapping.columns(field);
            let mut places = wanted.iter().map(|column| places(&header, column)).filter(|places| !places.is_empty());
            match places.next().as_deref() {
                Some([index]) if !body::is_taken(field, mapping) => fields.push((field, *index)),
                Some([_]) => {}
                Some([index, ..]) => return Err(format!("it has more than one column {}", shown(&header[*index]))),
                _ if mapping.chosen(field).is_some() => {
                    return Err(format!("it has no column {}; it has {}", all_shown(wanted), has()));
                }
                _ if field == "name" || (field == "content" && !header.iter().any(|it| is_called(it, "messages"))) => {
                    let wanted = all_shown(wanted);
                    return Err(format!(
                        "it has no column for the {field}: none of {wanted}, but {}; pass --{field}, or --delimiter if these are \
                         several columns in one",
                        has()
                    ));
                }
                _ => {}
            }
        }
        Ok(Self { header, fields })
    }

    /// The columns that become nothing. One without a name matters only where something stands in it.
    fn unknown(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_taken = |index: usize| self.fields.iter().any(|(_, taken)| *taken == index);
        self.header.iter().map(String::as_str).enumerate().filter(move |(index, _)| !is_taken(*index))
    }

    fn refuse_unknown(&self, mapping: &Mapping) -> Result<(), String> {
        let names: Vec<&str> = self.unknown().map(|(_, name)| name).filter(|name| !name.is_empty()).collect();
        match names.as_slice() {
            [] => Ok(()),
            _ if mapping.ignore_unknown => Ok(()),
            names => Err(format!("it has {}", unknown(names, "column"))),
        }
    }

    fn name(&self, index: usize) -> String {
        match self.header.get(index).map(String::as_str) {
            None | Some("") => format!("column {}", index + 1),
            Some(name) => shown(name),
        }
    }
}

fn is_called(name: &str, wanted: &str) -> bool {
    name.to_lowercase() == wanted.trim().to_lowercase()
}

fn places(header: &[String], column: &str) -> Vec<usize> {
    (0..header.len()).filter(|index| is_called(&header[*index], column)).collect()
}

struct TableRows {
    records: Table,
    columns: Columns,
    mapping: Mapping,
    number: u64,
    has_failed: bool,
}

impl TableRows {
    fn object(&self, record: Record) -> Result<Taken, Unreadable> {
        match record.fault {
            None => {}
            Some(Fault::NeverClosed) => {
                return Err("has a quote that is never closed, and so takes in the rest of the file".into());
            }
            Some(Fault::TextAfterQuote(index)) => {
                let column = self.columns.name(index);
                return Err(format!(
                    "has text after a closing quote in {column}; a quote within a cell is written twice"
                )
                .into());
            }
            Some(Fault::BlanksBeforeQuote(index)) => {
                let column = self.columns.name(index);
                return Err(format!(
                    "has blanks before an opening quote in {column}; a quoted cell begins with its quote"
                )
                .into());
            }
        }
        let (cells, width) = (record.cells.len(), self.columns.header.len());
        if cells != width {
            let noun = if cells == 1 { "cell" } else { "cells" };
            return Err(format!("has {cells} {noun} where the header has {width}").into());
        }
        let cells = record.cells.into_iter().enumerate().map(|(index, cell)| {
            String::from_utf8(cell).map_err(|_| format!("is not UTF-8 text in {}", self.columns.name(index)))
        });
        self.body(&cells.collect::<Result<Vec<String>, String>>()?)
    }

    fn body(&self, cells: &[String]) -> Result<Taken, Unreadable> {
        let left = self.columns.unknown().filter(|(index, _)| !cells[*index].trim().is_empty());
        let left: Vec<String> = left.map(|(index, _)| self.columns.name(index)).collect();
        if !self.mapping.ignore_unknown
            && let Some(first) = left.first()
        {
            return Err(format!("has something in {first}, which has no name").into());
        }
        let has_messages =
            self.columns.fields.iter().any(|(field, index)| *field == "messages" && !cells[*index].is_empty());
        let mut body = Map::new();
        for &(field, index) in &self.columns.fields {
            let cell = &cells[index];
            // An empty cell is how a table says that there is nothing; what must not be empty is for others to say.
            if !cell.is_empty() || field == "name" || (field == "content" && !has_messages) {
                body.insert(field.to_owned(), body::from_cell(field, cell, &self.columns.name(index))?);
            }
        }
        Ok((body::finish(body, &self.mapping)?, left))
    }
}

impl Iterator for TableRows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.has_failed {
            return None;
        }
        let (line, object) = match self.records.next() {
            Ok(record) => {
                let record = record?;
                (Some(record.line), self.object(record))
            }
            Err(error) => {
                self.has_failed = true;
                (None, Err(failed(&error)))
            }
        };
        self.number += 1;
        Some(Row::new(self.number, line, object))
    }
}

fn failed(error: &io::Error) -> Unreadable {
    format!("cannot be read, nor can what follows: {}", without_code(error)).into()
}
