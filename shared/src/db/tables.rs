//! The tables of a database, whatever is in them, as its catalogue describes them.
use std::fmt::Write;

use sqlx::AssertSqlSafe;

use super::{Conn, cell::Kind, params, postgres, sqlite};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its place in the primary key, from 1; 0 if it has none.
    pub(super) key: i64,
}

/// Every table that holds the store, by name.
pub(super) async fn all(conn: &mut Conn) -> anyhow::Result<Vec<Table>> {
    let statement = conn.dialect().choose(sqlite::COLUMNS, postgres::COLUMNS);
    let rows: Vec<(String, String, String, i64)> = conn.fetch_all(statement, params![]).await?;
    let mut tables: Vec<Table> = Vec::new();
    for (table, name, kind, key) in rows {
        let column = Column { name, kind: kind.parse()?, key };
        match tables.last_mut() {
            Some(last) if last.name == table => last.columns.push(column),
            _ => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// Columns with texts that hold U+0000, which earlier versions let into a file: the table, the column, and how many.
/// `PostgreSQL` has none.
pub(super) async fn texts_with_nul(conn: &mut Conn) -> anyhow::Result<Vec<(String, String, i64)>> {
    let mut found = Vec::new();
    for Table { name, columns } in all(conn).await? {
        for column in columns.into_iter().filter(|column| column.kind == Kind::Text) {
            let statement = format!("SELECT count(*) FROM \"{name}\" WHERE instr(\"{}\", char(0)) > 0", column.name);
            let (count,): (i64,) = conn.fetch_one(AssertSqlSafe(statement), params![]).await?;
            if count > 0 {
                found.push((name.clone(), column.name, count));
            }
        }
    }
    Ok(found)
}

impl Table {
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    pub(super) async fn count(&self, conn: &mut Conn) -> anyhow::Result<u64> {
        let statement = AssertSqlSafe(format!("SELECT count(*) FROM \"{}\"", self.name));
        let (rows,): (i64,) = conn.fetch_one(statement, params![]).await?;
        Ok(rows.try_into()?)
    }

    /// Every row, in the order of the primary key.
    pub(super) fn select(&self) -> String {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        let quoted = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let key: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
        format!("SELECT {} FROM \"{}\" ORDER BY {}", quoted(&self.names()), self.name, quoted(&key))
    }

    /// A statement for so many rows.
    pub(super) fn insert(&self, rows: usize) -> String {
        let names: Vec<String> = self.names().iter().map(|name| format!("\"{name}\"")).collect();
        let mut text = format!("INSERT INTO \"{}\" ({}) VALUES ", self.name, names.join(", "));
        for row in 0..rows {
            let first = row * self.columns.len();
            let row: Vec<String> = (1..=self.columns.len()).map(|column| format!("${}", first + column)).collect();
            write!(text, "{}({})", if first == 0 { "" } else { ", " }, row.join(", "))
                .expect("a String takes all text");
        }
        text
    }
}
