//! Lists come in pages: by offset, or by a cursor that stays true while rows come and go.
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    db::Param,
    error::{Error, Result, Violation},
    secret::SecretKey,
};

/// The most rows of one page.
pub const LIMIT_MAX: i64 = 1000;
const LIMIT_DEFAULT: i64 = 50;
/// Far enough for every person; a program that walks further uses the cursor, whose cost does not grow.
const OFFSET_MAX: i64 = 1_000_000;
const MAC_PURPOSE: &str = "page cursor";
const MAC_BYTES: usize = 16;

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// How many rows the list has in all.
    pub total: i64,
    /// The most rows that were asked for.
    pub limit: i64,
    /// How many rows were passed over; 0 after a cursor.
    pub offset: i64,
    /// Are there rows after these?
    pub has_more: bool,
    /// Give it as `cursor` to get the rows after these.
    pub next_cursor: Option<String>,
}

/// Which page is wanted.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    limit: Option<i64>,
    offset: Option<i64>,
    cursor: Option<String>,
}

/// Where the last page ended: the sort key of its last row, and the row's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// What the rows are sorted by.
    pub key: SortKey,
    /// Settles the order of rows with the same key.
    pub id: String,
}

/// A value rows are sorted by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// A time or a number.
    Number(i64),
    /// A name.
    Text(String),
}

impl SortKey {
    /// As a statement carries it.
    #[must_use]
    pub fn param(&self) -> &dyn Param {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text,
        }
    }
}

impl PageRequest {
    /// A request within the bounds: `limit` 1 to 1000, `offset` from 0, and a cursor instead of an offset.
    pub fn new(limit: Option<i64>, offset: Option<i64>, cursor: Option<String>) -> Result<Self> {
        let mut violations = Vec::new();
        if limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
            violations.push(Violation::new("/limit", "out-of-range", format!("`limit` must be 1 to {LIMIT_MAX}")));
        }
        if offset.is_some_and(|offset| !(0..=OFFSET_MAX).contains(&offset)) {
            let detail = format!("`offset` must be 0 to {OFFSET_MAX}; use `cursor` to go further");
            violations.push(Violation::new("/offset", "out-of-range", detail));
        }
        if cursor.is_some() && offset.is_some() {
            let detail = "give `cursor` or `offset`, not both";
            violations.push(Violation::new("/cursor", "not-together", detail));
        }
        if violations.is_empty() { Ok(Self { limit, offset, cursor }) } else { Err(Error::from_violations(violations)) }
    }

    /// The most rows of this page.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT)
    }

    /// One more than the page holds: whether it comes says if there are more.
    #[must_use]
    pub fn limit_and_one(&self) -> i64 {
        self.limit() + 1
    }

    /// How many rows to pass over.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.unwrap_or(0)
    }

    /// Where the last page ended. `list` names the list with its filters and order: a cursor is good for
    /// no other.
    pub fn after(&self, secret: &SecretKey, list: &str) -> Result<Option<Position>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bad = || Error::Invalid {
            code: "bad-cursor",
            detail: "this cursor is not one that this list gave; begin again without a cursor".to_owned(),
            violations: Vec::new(),
        };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let (mac, text) = bytes.split_at_checked(MAC_BYTES).ok_or_else(bad)?;
        let text = std::str::from_utf8(text).map_err(|_| bad())?;
        if mac != &mac_of(secret, list, text)[..] {
            return Err(bad());
        }
        serde_json::from_str(text).map(Some).map_err(|_| bad())
    }

    /// Makes a page of the rows that a statement with [`limit_and_one`](Self::limit_and_one) answered.
    pub fn page<T>(
        &self,
        secret: &SecretKey,
        list: &str,
        total: i64,
        mut items: Vec<T>,
        position: impl Fn(&T) -> Position,
    ) -> Page<T> {
        let limit = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| has_more).map(|last| {
            let text = serde_json::to_string(&position(last)).expect("a position is plain data");
            let mut bytes = mac_of(secret, list, &text).to_vec();
            bytes.extend(text.as_bytes());
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        });
        Page { items, total, limit: self.limit(), offset: self.offset(), has_more, next_cursor }
    }
}

fn mac_of(secret: &SecretKey, list: &str, text: &str) -> [u8; MAC_BYTES] {
    let mac = secret.mac(MAC_PURPOSE, format!("{list}\0{text}").as_bytes());
    *mac.first_chunk().expect("a SHA-256 MAC has 32 bytes")
}

#[cfg(test)]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "rows are passed by reference")]
mod tests {
    use super::*;

    fn secret() -> SecretKey {
        SecretKey::from_text(&"k".repeat(32)).unwrap()
    }

    fn position(n: &i64) -> Position {
        Position { key: SortKey::Number(*n), id: n.to_string() }
    }

    #[test]
    fn a_cursor_leads_to_where_the_page_ended() {
        let first = PageRequest::new(Some(2), None, None).unwrap().page(&secret(), "l", 3, vec![1, 2, 3], position);
        assert_eq!((first.items, first.has_more), (vec![1, 2], true));
        let second = PageRequest::new(Some(2), None, first.next_cursor).unwrap();
        assert_eq!(second.after(&secret(), "l").unwrap().unwrap(), position(&2));
    }

    #[test]
    fn a_cursor_that_was_touched_or_is_of_another_list_is_refused() {
        let page = PageRequest::new(Some(1), None, None).unwrap().page(&secret(), "l", 3, vec![1, 2], position);
        let cursor = page.next_cursor.unwrap();
        let mut flipped = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        *flipped.last_mut().unwrap() ^= 1;
        for (list, cursor) in [
            ("l", "garbage!".to_owned()),
            ("l", String::new()),
            ("l", cursor[..cursor.len() - 3].to_owned()),
            ("l", BASE64_URL_SAFE_NO_PAD.encode(flipped)),
            ("other", cursor.clone()),
        ] {
            let request = PageRequest::new(None, None, Some(cursor.clone())).unwrap();
            assert_eq!(request.after(&secret(), list).unwrap_err().code(), "bad-cursor", "{cursor}");
        }
    }

    #[test]
    fn limits_and_offsets_have_bounds() {
        for (limit, offset) in [(Some(0), None), (Some(1001), None), (Some(-1), None), (None, Some(-1))] {
            assert!(PageRequest::new(limit, offset, None).is_err(), "{limit:?} {offset:?}");
        }
        assert!(PageRequest::new(Some(1000), Some(0), None).is_ok());
        assert!(PageRequest::new(None, Some(1), Some("c".into())).is_err());
    }
}
