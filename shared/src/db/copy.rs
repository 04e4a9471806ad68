//! A whole store, from one database into another, whatever their engines.
//!
//! The source is read as of one moment. The target is filled in one transaction, which commits only after every
//! row was read back and is equal; so whatever happens, the target holds all of the store or nothing.
use std::fmt::Write;

use anyhow::{Context, bail, ensure};
use futures::StreamExt;
use sqlx::AssertSqlSafe;

use super::{
    Conn, Db, Param, Schema,
    cell::{Cell, Kind, Value, Values},
    params, postgres, sqlite,
};

/// The rows of one statement.
const BATCH: usize = 100;

/// What a copy is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows are written.
    Copying,
    /// They are read back and compared.
    Verifying,
}

/// A table that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// A table, as the catalogue of a database describes it.
#[derive(Debug)]
struct Table {
    name: String,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: Kind,
    /// Its place in the primary key, from 1; 0 if it has none.
    key: i64,
}

/// Copies everything. `progress` hears the table, the step, and how many rows of how many are done.
pub async fn copy(from: &Db, to: &Db, mut progress: impl FnMut(&str, Step, u64, u64)) -> anyhow::Result<Vec<Copied>> {
    for (db, option) in [(from, "--from"), (to, "--to")] {
        ensure!(
            db.schema().await? == Schema::Current,
            "the tables of {} are not those of this version; run `prompt-store migrate` of this version on it ({option})",
            db.describe()
        );
    }
    let (mut source, mut target) = (from.snapshot().await?, to.begin_load().await?);
    let tables = tables(&mut target).await?;
    let sources = self::tables(&mut source).await?;
    let mut copied = Vec::new();
    for table in &tables {
        ensure!(count(&mut target, table).await? == 0, "{} is not empty; copy into an empty database", to.describe());
        let twin = sources.iter().find(|twin| twin.name == table.name);
        let twin = twin.with_context(|| format!("{} has no table `{}`", from.describe(), table.name))?;
        ensure!(twin.names() == table.names(), "the table `{}` has other columns in the two databases", table.name);
        copied.push(Copied { table: table.name.clone(), rows: count(&mut source, table).await? });
    }
    for (table, Copied { rows, .. }) in tables.iter().zip(&copied) {
        fill(&mut source, &mut target, table, |done| progress(&table.name, Step::Copying, done, *rows)).await?;
    }
    for (table, Copied { rows, .. }) in tables.iter().zip(&copied) {
        let checked =
            verify(&mut source, &mut target, table, |done| progress(&table.name, Step::Verifying, done, *rows));
        ensure!(checked.await? == *rows, "the table `{}` changed while it was copied", table.name);
    }
    target.commit().await?;
    Ok(copied)
}

async fn tables(conn: &mut Conn) -> anyhow::Result<Vec<Table>> {
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

impl Table {
    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Every row, in the order of the primary key.
    fn select(&self) -> String {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        let quoted = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let key: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
        format!("SELECT {} FROM \"{}\" ORDER BY {}", quoted(&self.names()), self.name, quoted(&key))
    }

    fn insert(&self, rows: usize) -> String {
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

async fn count(conn: &mut Conn, table: &Table) -> anyhow::Result<u64> {
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM \"{}\"", table.name));
    let (rows,): (i64,) = conn.fetch_one(statement, params![]).await?;
    Ok(rows.try_into()?)
}

async fn fill(source: &mut Conn, target: &mut Conn, table: &Table, mut done: impl FnMut(u64)) -> anyhow::Result<()> {
    let rows = source.fetch::<Values>(AssertSqlSafe(table.select()), params![])?;
    let mut batches = rows.chunks(BATCH);
    let mut written = 0;
    while let Some(batch) = batches.next().await {
        let rows = batch.into_iter().collect::<crate::Result<Vec<Values>>>()?;
        let cells: Vec<Cell> = rows.iter().flat_map(|row| cells(table, &row.0)).collect();
        let params: Vec<&dyn Param> = cells.iter().map(|cell| cell as &dyn Param).collect();
        target.execute(AssertSqlSafe(table.insert(rows.len())), &params).await?;
        written += rows.len() as u64;
        done(written);
    }
    Ok(())
}

fn cells<'a>(table: &Table, row: &'a [Value]) -> impl Iterator<Item = Cell<'a>> {
    table.columns.iter().zip(row).map(|(column, value)| Cell { value, kind: column.kind })
}

/// Answers how many rows there are, all of them equal.
async fn verify(source: &mut Conn, target: &mut Conn, table: &Table, mut done: impl FnMut(u64)) -> anyhow::Result<u64> {
    let statement = table.select();
    let mut theirs = source.fetch::<Values>(AssertSqlSafe(statement.clone()), params![])?;
    let mut ours = target.fetch::<Values>(AssertSqlSafe(statement), params![])?;
    let mut equal = 0;
    loop {
        match (theirs.next().await.transpose()?, ours.next().await.transpose()?) {
            (None, None) => return Ok(equal),
            (Some(theirs), Some(ours)) if theirs.0 == ours.0 => equal += 1,
            (theirs, ours) => {
                let row =
                    |values: Option<Values>| values.map_or("no row".to_owned(), |values| format!("{:?}", values.0));
                bail!("row {} of `{}` is {} there and {} here", equal + 1, table.name, row(theirs), row(ours));
            }
        }
        if equal % BATCH as u64 == 0 {
            done(equal);
        }
    }
}
