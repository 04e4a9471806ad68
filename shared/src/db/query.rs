//! Statements put together at run time, from literals only.
use std::fmt::Write;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{Param, Params, params};

/// A statement in the making. In its fragments `?` stands for the next parameter, whatever its number.
pub struct Query<'a> {
    text: String,
    params: Vec<&'a dyn Param>,
}

impl<'a> Query<'a> {
    /// Begins with a fragment that carries no parameter.
    #[must_use]
    pub fn new(start: &'static str) -> Self {
        Self { text: String::new(), params: Vec::new() }.then(start, params![])
    }

    /// Begins with a fragment that numbers its parameters itself, `$1` and so on.
    #[must_use]
    pub fn with(start: &'static str, params: &[&'a dyn Param]) -> Self {
        Self { text: format!("{start} "), params: params.to_vec() }
    }

    /// Adds a fragment.
    ///
    /// # Panics
    /// If there are more or fewer parameters than `?`, which would silently drop values.
    #[must_use]
    pub fn then(mut self, fragment: &'static str, params: &[&'a dyn Param]) -> Self {
        assert_eq!(fragment.matches('?').count(), params.len(), "`{fragment}` and its parameters");
        let mut parts = fragment.split('?');
        self.text.extend(parts.next());
        for (part, param) in parts.zip(params) {
            self.params.push(*param);
            write!(self.text, "${}{part}", self.params.len()).expect("a String takes all text");
        }
        self.text.push(' ');
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

    /// What the statement carries, in order.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        &self.params
    }
}

impl SqlSafeStr for &Query<'_> {
    fn into_sql_str(self) -> SqlStr {
        // Every fragment is a literal of this program; values travel as parameters.
        AssertSqlSafe(self.text.as_str()).into_sql_str()
    }
}
