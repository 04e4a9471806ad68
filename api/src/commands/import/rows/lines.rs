//! Reads NDJSON, a line at a time: a bad line costs only itself.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;
use shared::{bulk::is_record, numbers};

use super::strict::Strict;
use super::{Mapping, Row, Rows, Taken, Unreadable, body, open, without_code};

/// A longer line is not held in memory: it is rather a file that is something else than NDJSON.
const LONGEST: usize = 1024 * 1024;

pub(super) fn read(path: &Path, mapping: &Mapping, is_countable: bool) -> anyhow::Result<Rows> {
    let total = if is_countable { Some(Lines::new(open(path)?).count() as u64) } else { None };
    let mapping = mapping.clone();
    let iter = Lines::new(open(path)?).map(move |(number, line)| {
        Row::new(number, Some(number), line.map_err(Unreadable::from).and_then(|line| parse(&line, &mapping)))
    });
    Ok(Rows { total, notes: Vec::new(), iter: Box::new(iter) })
}

/// Is each of the first two lines an object of its own? One document never is.
pub(super) fn are_objects(path: &Path) -> anyhow::Result<bool> {
    let first: Vec<_> = Lines::new(open(path)?).take(2).collect();
    let is_object = |line: &Result<Vec<u8>, String>| {
        let value = line.as_ref().ok().and_then(|line| serde_json::from_slice::<Value>(line).ok());
        value.is_some_and(|value| value.is_object())
    };
    Ok(first.len() == 2 && first.iter().all(|(_, line)| is_object(line)))
}

fn parse(line: &[u8], mapping: &Mapping) -> Result<Taken, Unreadable> {
    let text = str::from_utf8(line.trim_ascii_end()).map_err(|_| "is not UTF-8 text")?;
    let Strict(value) = serde_json::from_str(text).map_err(|error| {
        // The parser saw one line only, so its "line 1" would point at the wrong one.
        let why = error.to_string().replace(" at line 1 column ", " at column ");
        format!("is not a JSON object that can be read: {why}")
    })?;
    if let Some(inexact) = numbers::first_inexact(text.as_bytes()) {
        return Err(format!("at `{}`: {}", inexact.pointer, numbers::detail(&inexact.number)).into());
    }
    let is_record = is_record(&value);
    match value {
        Value::Object(record) if is_record => Ok((record, Vec::new())),
        value => body::from_value(&value, mapping),
    }
}

/// The lines that are not blank, with their numbers.
struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    has_failed: bool,
}

impl<R: Read> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), number: 0, has_failed: false }
    }

    /// The next line with its line break, blank or not; at most a byte more than is allowed of it.
    fn next_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.reader.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line)?;
        if is_too_long(&line) {
            self.reader.skip_until(b'\n')?;
        }
        self.number += u64::from(!line.is_empty());
        if self.number == 1 && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(.."\u{feff}".len());
        }
        Ok(line)
    }
}

fn is_too_long(line: &[u8]) -> bool {
    line.len() > LONGEST && !line.ends_with(b"\n")
}

impl<R: Read> Iterator for Lines<R> {
    type Item = (u64, Result<Vec<u8>, String>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_failed {
            let before = self.number;
            match self.next_line() {
                Err(error) => {
                    self.has_failed = true;
                    let why = format!("cannot be read, nor can what follows: {}", without_code(error));
                    return Some((before + 1, Err(why)));
                }
                Ok(_) if self.number == before => return None,
                Ok(line) if is_too_long(&line) => return Some((self.number, Err("is longer than 1 MiB".to_owned()))),
                Ok(line) if line.trim_ascii().is_empty() => {}
                Ok(line) => return Some((self.number, Ok(line))),
            }
        }
        None
    }
}
