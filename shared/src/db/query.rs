//! Statements put together at run time, from literals only.
use std::fmt::Write;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{Dialect, Param, Params, params};

/// A statement that can be run.
pub trait Statement {
    /// As the engine wants it.
    fn text(self, dialect: Dialect) -> SqlStr;
}

impl<T: SqlSafeStr> Statement for T {
    fn text(self, _: Dialect) -> SqlStr {
        self.into_sql_str()
    }
}

/// A statement in the making. In its fragments `?` stands for the next parameter, whatever its number.
pub struct Query<'a> {
    text: String,
    params: Vec<&'a dyn Param>,
    /// Of the parameters, those that the beginning numbers itself.
    numbered: usize,
}

impl<'a> Query<'a> {
    /// Begins with a fragment that carries no parameter.
    #[must_use]
    pub fn new(start: &'static str) -> Self {
        Self { text: String::new(), params: Vec::new(), numbered: 0 }.then(start, params![])
    }

    /// Begins with a fragment that numbers its parameters itself, `$1` and so on.
    #[must_use]
    pub fn with(start: &'static str, params: &[&'a dyn Param]) -> Self {
        Self { text: format!("{start} "), params: params.to_vec(), numbered: params.len() }
    }

    /// Adds a fragment.
    ///
    /// # Panics
    /// If there are more or fewer parameters than `?`, which would silently drop values.
    #[must_use]
    pub fn then(mut self, fragment: &'static str, params: &[&'a dyn Param]) -> Self {
        assert_eq!(fragment.matches('?').count(), params.len(), "`{fragment}` and its parameters");
        self.text.push_str(fragment);
        self.text.push(' ');
        self.params.extend(params);
        self
    }

    /// Adds a condition, if there is a value to compare with.
    #[must_use]
    pub fn and<T: Param>(self, condition: &'static str, value: &'a Option<T>) -> Self {
        match value {
            Some(value) => self.then("AND", params![]).then(condition, &[value]),
            None => self,
        }
    }

    /// Adds a condition for each of the values: a row must meet them all.
    #[must_use]
    pub fn and_each<T: Param>(self, condition: &'static str, values: &'a [T]) -> Self {
        values.iter().fold(self, |query, value| query.then("AND", params![]).then(condition, &[value]))
    }

    /// Adds rows to be written, one after the other: `row` is a literal like `(?, ?)`.
    #[must_use]
    pub fn rows<T>(self, row: &'static str, rows: &'a [T], params: impl Fn(&'a T) -> Vec<&'a dyn Param>) -> Self {
        rows.iter().enumerate().fold(self, |query, (index, values)| {
            let query = if index == 0 { query } else { query.then(",", params![]) };
            query.then(row, &params(values))
        })
    }

    /// What the statement carries, in order.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        &self.params
    }
}

/// The most rows of one statement.
const ROWS_MAX: usize = 64;

/// Rows in portions for one statement each. Their sizes are powers of two, or three times one: a connection keeps the
/// statements it has prepared, and so it is only ever asked for a few different ones.
pub fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let is_usual =
            |size: &usize| size.is_power_of_two() || (size.is_multiple_of(3) && (size / 3).is_power_of_two());
        let size = (1..=ROWS_MAX.min(rows.len())).rev().find(is_usual)?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

impl Statement for &Query<'_> {
    /// `SQLite` counts `?` itself; names like `$1` it would look up one by one, which is slow where there are hundreds. The
    /// two do not mix.
    fn text(self, dialect: Dialect) -> SqlStr {
        // Every fragment is a literal of this program; values travel as parameters.
        match dialect {
            Dialect::Sqlite if self.numbered == 0 => AssertSqlSafe(self.text.as_str()).into_sql_str(),
            _ => AssertSqlSafe(self.with_numbers()).into_sql_str(),
        }
    }
}

impl Query<'_> {
    fn with_numbers(&self) -> String {
        let mut parts = self.text.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (number, part) in (self.numbered + 1..).zip(parts) {
            write!(text, "${number}{part}").expect("a String takes all text");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_one_after_the_other_with_parameters_of_their_own() {
        let rows = [(1_i64, "a".to_owned()), (2, "b".to_owned())];
        let query = Query::new("INSERT INTO t (n, s) VALUES").rows("(?, ?)", &rows, |row| vec![&row.0, &row.1]);
        assert_eq!(query.text, "INSERT INTO t (n, s) VALUES (?, ?) , (?, ?) ");
        assert_eq!(query.with_numbers(), "INSERT INTO t (n, s) VALUES ($1, $2) , ($3, $4) ");
        assert_eq!(query.params().len(), 4);
    }

    #[test]
    fn portions_are_of_few_sizes_and_leave_nothing_out() {
        for (rows, sizes) in
            [(0, vec![]), (1, vec![1]), (100, vec![64, 32, 4]), (131, vec![64, 64, 3]), (63, vec![48, 12, 3])]
        {
            let rows: Vec<usize> = (0..rows).collect();
            assert_eq!(portions(&rows).map(<[usize]>::len).collect::<Vec<_>>(), sizes);
            assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
    }
}
