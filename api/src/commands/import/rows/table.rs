//! Reads CSV and TSV, a record at a time: a bad record costs only itself, and a cell's text is kept byte for byte.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{MAPPED, Mapping, Row, Rows, all_shown, body, cannot_read, open, shown, without_code};

/// Put after the end of the file. Read as a record of its own it is the end; read as part of a cell, it shows that the
/// cell's quote is never closed, which would otherwise pass for a cell that holds all the rest of the file.
const END: &str = "\n\0end\0";

pub(super) fn read(path: &Path, mapping: &Mapping, delimiter: u8, is_countable: bool) -> anyhow::Result<Rows> {
    let mut records = Records::new(open(path)?, delimiter);
    let header = records.header().map_err(|why| cannot_read(path, why))?;
    let fields = fields(&header, mapping).map_err(|why| cannot_read(path, why))?;
    let total = if is_countable { Some(Records::new(open(path)?, delimiter).count()) } else { None };
    let rows = TableRows { records, header, fields, mapping: mapping.clone(), number: 0, has_failed: false };
    Ok(Rows { total, iter: Box::new(rows) })
}

/// Which cell becomes which field.
fn fields(header: &[String], mapping: &Mapping) -> Result<Vec<(&'static str, usize)>, String> {
    let columns = || all_shown(header.iter().map(String::as_str));
    let mut fields = Vec::new();
    for field in MAPPED {
        let wanted = mapping.columns(field);
        match wanted.iter().find_map(|column| Some((*column, header.iter().position(|name| name == column)?))) {
            Some((column, first)) if header[first + 1..].iter().any(|name| name == column) => {
                return Err(format!("it has more than one column {}", shown(column)));
            }
            Some((_, index)) => fields.push((field, index)),
            None if mapping.chosen(field).is_some() => {
                return Err(format!("it has no column {}; it has {}", all_shown(wanted), columns()));
            }
            None if field == "name" || field == "content" => {
                let wanted = all_shown(wanted);
                let has = columns();
                return Err(format!("it has no column for the {field}: none of {wanted}, but {has}; pass --{field}"));
            }
            None => {}
        }
    }
    Ok(fields)
}

struct TableRows {
    records: Records<File>,
    header: Vec<String>,
    fields: Vec<(&'static str, usize)>,
    mapping: Mapping,
    number: u64,
    has_failed: bool,
}

impl TableRows {
    fn object(&self, record: ByteRecord) -> Result<Map<String, Value>, String> {
        if is_unclosed(&record) {
            return Err("has a quote that is never closed, and so takes in the rest of the file".to_owned());
        }
        let (cells, width) = (record.len(), self.header.len());
        if cells != width {
            let noun = if cells == 1 { "cell" } else { "cells" };
            return Err(format!("has {cells} {noun} where the header has {width}"));
        }
        let record = StringRecord::from_byte_record(record)
            .map_err(|error| format!("is not UTF-8 text in {}", shown(&self.header[error.utf8_error().field()])))?;
        let mut body = Map::new();
        for &(field, index) in &self.fields {
            let cell = &record[index];
            // An empty cell is how a table says that there is nothing; what must not be empty is for others to say.
            if !cell.is_empty() || field == "name" || field == "content" {
                body.insert(field.to_owned(), cell.into());
            }
        }
        body::finish(body, &self.mapping)
    }
}

impl Iterator for TableRows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.has_failed {
            return None;
        }
        let mut record = ByteRecord::new();
        let (line, object) = match self.records.read(&mut record) {
            Ok(line) => (Some(line?), self.object(record)),
            Err(error) => {
                self.has_failed = true;
                (None, Err(format!("cannot be read, nor can what follows: {}", without_code(error))))
            }
        };
        self.number += 1;
        Some(Row { number: self.number, line, object })
    }
}

/// The records of a file, the header being the first, each with the line it starts on.
struct Records<R> {
    reader: Reader<LineBreaks<io::Chain<R, &'static [u8]>>>,
}

impl<R: Read> Records<R> {
    fn new(file: R, delimiter: u8) -> Self {
        let file = LineBreaks { inner: file.chain(END.as_bytes()), bytes: 0, ahead: VecDeque::new(), passed: 0 };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(file);
        Self { reader }
    }

    /// The names of the columns.
    fn header(&mut self) -> Result<Vec<String>, String> {
        let mut record = ByteRecord::new();
        if self.read(&mut record).map_err(without_code)?.is_none() {
            return Err("it is empty; its first line has to name the columns".to_owned());
        }
        if is_unclosed(&record) {
            return Err("its first line, which names the columns, has a quote that is never closed".to_owned());
        }
        let record = StringRecord::from_byte_record(record).map_err(|_| "it is not UTF-8 text")?;
        Ok(record.iter().map(|name| name.trim().to_owned()).collect())
    }

    /// How many records follow the header, as far as the file can be read.
    fn count(mut self) -> u64 {
        let mut record = ByteRecord::new();
        let mut count: u64 = 0;
        while let Ok(Some(_)) = self.read(&mut record) {
            count += 1;
        }
        count.saturating_sub(1)
    }

    /// Reads the next record and returns the line it starts on, or none at the end.
    fn read(&mut self, record: &mut ByteRecord) -> csv::Result<Option<u64>> {
        if !self.reader.read_byte_record(record)? || record == &[&END[1..]][..] {
            return Ok(None);
        }
        // The parser's own line is that of the blank lines before a record, or with CRLF of the record before, whose
        // `\n` it has yet to see. So count back from the end: the line breaks in the cells, and the one after them.
        let end = self.reader.position().byte();
        let (passed, is_last) = self.reader.get_mut().pass(end);
        let within: u64 = record.as_slice().iter().map(|byte| u64::from(*byte == b'\n')).sum();
        Ok(Some((1 + passed).saturating_sub(within + u64::from(is_last))))
    }
}

fn is_unclosed(record: &ByteRecord) -> bool {
    record.iter().next_back().is_some_and(|cell| cell.ends_with(END.as_bytes()))
}

/// Notes where the line breaks are in what is read, which the parser reads in blocks, ahead of its records.
struct LineBreaks<R> {
    inner: R,
    bytes: u64,
    ahead: VecDeque<u64>,
    passed: u64,
}

impl<R> LineBreaks<R> {
    /// How many line breaks there are up to `end`, and whether the last byte before it is one.
    fn pass(&mut self, end: u64) -> (u64, bool) {
        let mut last = None;
        while let Some(at) = self.ahead.pop_front_if(|at| *at < end) {
            self.passed += 1;
            last = Some(at);
        }
        (self.passed, last.is_some_and(|at| at + 1 == end))
    }
}

impl<R: Read> Read for LineBreaks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let breaks = (self.bytes..).zip(&buffer[..count]).filter(|(_, byte)| **byte == b'\n');
        self.ahead.extend(breaks.map(|(at, _)| at));
        self.bytes += count as u64;
        Ok(count)
    }
}
