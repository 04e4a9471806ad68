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
/// The most bytes that the rows of one page hold, as they are stored. A page has at least one row, however long.
pub const PAGE_BYTES_MAX: i64 = 8 * 1024 * 1024;
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
    /// The most rows that were asked for. There may be fewer, and more after them: a page ends after 8 MiB.
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
    /// So many rows are as many bytes as fit.
    fitting: Option<i64>,
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
        if violations.is_empty() {
            Ok(Self { limit, offset, cursor, fitting: None })
        } else {
            Err(Error::from_violations(violations))
        }
    }

    /// The most rows of this page.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT)
    }

    /// One more than the page holds: whether it comes says if there are more.
    #[must_use]
    pub fn limit_and_one(&self) -> i64 {
        self.rows() + 1
    }

    /// The most rows of this page that fit.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.fitting.unwrap_or(i64::MAX).min(self.limit())
    }

    /// The same page, but with no more rows than hold 8 MiB together, so that those are all that is read. `lengths` says
    /// how many bytes each row holds, from the first row of the page on. It is asked only if rows of `row_bytes_max`
    /// could be too much.
    pub async fn within_bytes(
        &self,
        row_bytes_max: i64,
        lengths: impl Future<Output = Result<Vec<i64>>>,
    ) -> Result<Self> {
        match row_bytes_max.saturating_mul(self.limit_and_one()) > PAGE_BYTES_MAX {
            true => Ok(self.clone().fitting(lengths.await?)),
            false => Ok(self.clone()),
        }
    }

    /// The same page, but with no more rows than hold 8 MiB together, of rows with so many bytes each.
    #[must_use]
    pub fn fitting(mut self, bytes: impl IntoIterator<Item = i64>) -> Self {
        let (mut rows, mut sum) = (0, 0_i64);
        for bytes in bytes {
            sum = sum.saturating_add(bytes);
            if sum > PAGE_BYTES_MAX && rows > 0 {
                self.fitting = Some(rows);
                break;
            }
            rows += 1;
        }
        self
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
        let limit = usize::try_from(self.rows()).unwrap_or(usize::MAX);
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
    fn a_page_ends_before_its_bytes_are_too_many_and_holds_a_row_in_any_case() {
        const HALF: i64 = PAGE_BYTES_MAX / 2;
        for (bytes, rows) in [
            (vec![HALF, HALF, 1], 2),
            (vec![HALF, HALF + 1, 1], 1),
            (vec![PAGE_BYTES_MAX + 1, 1], 1),
            (vec![i64::MAX, i64::MAX], 1),
            (vec![0, 0, 0, 0], 3),
        ] {
            let request = PageRequest::new(Some(3), None, None).unwrap().fitting(bytes.clone());
            let items: Vec<i64> = (0..request.limit_and_one()).collect();
            let page = request.page(&secret(), "l", 9, items, position);
            assert_eq!((page.items.len(), page.limit, page.has_more), (rows, 3, true), "{bytes:?}");
            assert!(page.next_cursor.is_some());
        }
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
