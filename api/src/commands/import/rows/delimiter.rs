//! What separates the cells of a table: said by a flag, by a line `sep=;` on top, or found out from the header.
use std::io::{self, Read};

use super::records::{Records, USUAL};

/// A header that is longer is none.
const HEAD_BYTES: u64 = 64 * 1024;

/// The beginning of a table, after a byte order mark and a line that names the separator.
pub(super) struct Head {
    /// What was read of it so far.
    pub(super) bytes: Vec<u8>,
    /// The separator that the file names.
    pub(super) named: Option<u8>,
    /// The number of its first line.
    pub(super) line: u64,
}

impl Head {
    /// Reads ahead; the rest of the table is still to be read.
    pub(super) fn read(table: &mut impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        table.take(HEAD_BYTES).read_to_end(&mut bytes)?;
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(.."\u{feff}".len());
        }
        let mut head = Self { bytes, named: None, line: 1 };
        head.take_separator();
        Ok(head)
    }

    /// Excel writes the line for itself, sometimes in quotes.
    fn take_separator(&mut self) {
        let end = self.bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(self.bytes.len());
        let first = &self.bytes[..end];
        let bare = first.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(first);
        let named = bare.split_at_checked(4).filter(|(name, _)| name.eq_ignore_ascii_case(b"sep="));
        if let Some((_, [separator])) = named {
            self.named = Some(*separator);
            let rest = &self.bytes[end..];
            let breaks = if rest.starts_with(b"\r\n") { 2 } else { usize::from(!rest.is_empty()) };
            self.bytes.drain(..end + breaks);
            self.line = 2;
        }
    }

    /// Of the usual separators, the first by which the header has what it must; if there is none, the one that makes most columns.
    pub(super) fn guess(&self, is_right: impl Fn(&[String]) -> bool) -> u8 {
        let columns = USUAL.map(|delimiter| (delimiter, self.columns(delimiter)));
        let right = columns.iter().find(|(_, columns)| is_right(columns));
        let most = columns.iter().rev().max_by_key(|(_, columns)| columns.len());
        right.or(most).map_or(USUAL[0], |(delimiter, _)| *delimiter)
    }

    fn columns(&self, delimiter: u8) -> Vec<String> {
        match Records::new(self.bytes.as_slice(), delimiter, self.line).next() {
            Ok(Some(header)) => header.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A separator as a flag names it.
pub(super) fn parse(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        "comma" => Ok(b','),
        "semicolon" => Ok(b';'),
        _ => match text.as_bytes() {
            [byte]
                if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r' | b' ') =>
            {
                Ok(*byte)
            }
            _ => Err("give one sign, such as `;` or `|`, or `tab`, `comma`, `semicolon`".to_owned()),
        },
    }
}
