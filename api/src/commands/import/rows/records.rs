//! The records of a table, by the quoting rules of RFC 4180, which many files break: a record that does is found out, instead of
//! being read as something else than what stands in the file.
use std::io::{self, BufRead, BufReader, Read};

/// What separates cells without anyone saying so, in the order of preference.
pub(super) const USUAL: [u8; 3] = [b',', b';', b'\t'];

/// A record: its cells, the line it starts on, and what is wrong with its quotes.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) cells: Vec<Vec<u8>>,
    pub(super) line: u64,
    pub(super) fault: Option<Fault>,
}

/// Which rule is broken, in which cell, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `"a" b`
    TextAfterQuote(usize),
    /// ` "a"`
    BlanksBeforeQuote(usize),
    /// `"a`, up to the end of the file.
    NeverClosed,
}

/// Where in a cell the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before its first character, but for blanks.
    Start,
    Plain,
    Quoted,
    /// After a quote in a quoted cell: it ends there, or the quote was the first of two.
    AfterQuote,
    /// In what should not follow a quote. Another one opens the cell again, so that line breaks in it do not end the record.
    Astray,
}

/// Reads a table from its first byte, after a byte order mark.
pub(super) struct Records<R> {
    bytes: BufReader<R>,
    delimiter: u8,
    line: u64,
}

impl<R: Read> Records<R> {
    /// `line` is the number of the first line of what is read.
    pub(super) fn new(table: R, delimiter: u8, line: u64) -> Self {
        Self { bytes: BufReader::with_capacity(64 * 1024, table), delimiter, line }
    }

    /// The next record with anything in it, or none at the end. Lines without any character, and rows of nothing but separators
    /// and blanks, are none.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while let Some(record) = self.read()? {
            if record.fault.is_some() || record.cells.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> io::Result<Option<Record>> {
        let (mut record, mut cell) = (Record { cells: Vec::new(), line: self.line, fault: None }, Vec::new());
        let (mut state, mut is_empty) = (State::Start, true);
        while let Some(byte) = self.byte()? {
            is_empty = false;
            let is_break = matches!(byte, b'\n' | b'\r');
            match (state, byte) {
                (State::Quoted, b'"') => state = State::AfterQuote,
                (State::Quoted, _) => cell.push(byte),
                (State::AfterQuote, b'"') => {
                    cell.push(byte);
                    state = State::Quoted;
                }
                (State::Start, b'"') => {
                    if !cell.is_empty() {
                        record.fault.get_or_insert(Fault::BlanksBeforeQuote(record.cells.len()));
                    }
                    state = State::Quoted;
                }
                (State::Astray, b'"') => state = State::Quoted,
                (_, byte) if byte == self.delimiter => {
                    record.cells.push(std::mem::take(&mut cell));
                    state = State::Start;
                }
                (_, _) if is_break => {
                    self.pass_break(byte)?;
                    record.cells.push(cell);
                    return Ok(Some(record));
                }
                (State::AfterQuote, _) => {
                    record.fault.get_or_insert(Fault::TextAfterQuote(record.cells.len()));
                    state = State::Astray;
                }
                (State::Start, b' ' | b'\t') | (State::Plain | State::Astray, _) => cell.push(byte),
                (State::Start, _) => {
                    cell.push(byte);
                    state = State::Plain;
                }
            }
            if state == State::Quoted && byte == b'\n' {
                self.line += 1;
            }
        }
        if is_empty {
            return Ok(None);
        }
        if state == State::Quoted {
            record.fault = Some(Fault::NeverClosed);
        }
        record.cells.push(cell);
        Ok(Some(record))
    }

    /// A line break of either kind, or of both.
    fn pass_break(&mut self, byte: u8) -> io::Result<()> {
        self.line += 1;
        if byte == b'\r' && self.bytes.fill_buf()?.first() == Some(&b'\n') {
            self.bytes.consume(1);
        }
        Ok(())
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.bytes.fill_buf()?.first().copied();
        if byte.is_some() {
            self.bytes.consume(1);
        }
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Vec<String>, u64, Option<Fault>)> {
        let mut records = Records::new(text.as_bytes(), b',', 1);
        std::iter::from_fn(|| records.next().expect("it is right"))
            .map(|record| {
                let cells =
                    record.cells.into_iter().map(|cell| String::from_utf8(cell).expect("it is right")).collect();
                (cells, record.line, record.fault)
            })
            .collect()
    }

    #[test]
    fn a_cell_is_what_the_rules_say() {
        let found = read("a,\"b \"\"c\"\"\nd\", e 5\" f ,\r\n\r\n ,\t,,\rg,h");
        let cells: Vec<_> = found.iter().map(|(cells, line, fault)| (cells.join("|"), *line, *fault)).collect();
        assert_eq!(cells, [("a|b \"c\"\nd| e 5\" f |".to_owned(), 1, None), ("g|h".to_owned(), 5, None)]);
    }

    #[test]
    fn a_record_that_breaks_the_rules_is_found_and_the_next_one_is_read() {
        for (text, fault) in [
            ("x,\"a\" b\nn,m", Fault::TextAfterQuote(1)),
            ("\"a\"b,x\nn,m", Fault::TextAfterQuote(0)),
            ("x,\"a\" \nn,m", Fault::TextAfterQuote(1)),
            ("x,\"say \"hi, you\" now\"\nn,m", Fault::TextAfterQuote(1)),
            ("x, \"a, b\"\nn,m", Fault::BlanksBeforeQuote(1)),
            ("x,\t\"a\nb, c\"\nn,m", Fault::BlanksBeforeQuote(1)),
            ("x,\"a \"b\" c\nd, e\"\nn,m", Fault::TextAfterQuote(1)),
        ] {
            let found = read(text);
            assert_eq!((found.len(), found[0].2, found[1].2), (2, Some(fault), None), "{text}");
            assert_eq!(found[1].0, ["n", "m"], "{text}");
        }
        for text in ["x,\"a\nn,m", "x,\"a\"b\"\nn,m"] {
            assert_eq!(read(text).iter().map(|it| it.2).collect::<Vec<_>>(), [Some(Fault::NeverClosed)], "{text}");
        }
    }
}
