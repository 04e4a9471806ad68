//! A whole store, from one database into another, whatever their engines.
//!
//! The source is read as of one moment. The target is filled in one transaction, which commits only after every
//! row was read back and is equal; so whatever happens, the target holds all of the store or nothing. One thing is mended
//! on the way: a file of an earlier version may hold U+0000 in a text, which no engine is given any more; U+FFFD takes its
//! place, and whoever copies is told where.
use anyhow::{Context, bail, ensure};
use futures::StreamExt;
use sqlx::AssertSqlSafe;

use super::{
    Conn, Db, Param, Schema,
    cell::{Cell, Value, Values},
    params,
    tables::{self, Table},
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
    /// Where U+FFFD took the place of U+0000: the primary key of the row, and the column.
    pub mended: Vec<(String, String)>,
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
    let tables = tables::all(&mut target).await?;
    let sources = tables::all(&mut source).await?;
    let mut copied = Vec::new();
    for table in &tables {
        ensure!(table.count(&mut target).await? == 0, "{} is not empty; copy into an empty database", to.describe());
        let twin = sources.iter().find(|twin| twin.name == table.name);
        let twin = twin.with_context(|| format!("{} has no table `{}`", from.describe(), table.name))?;
        ensure!(twin.names() == table.names(), "the table `{}` has other columns in the two databases", table.name);
        let rows = table.count(&mut source).await?;
        copied.push(Copied { table: table.name.clone(), rows, mended: Vec::new() });
    }
    for (table, Copied { rows, mended, .. }) in tables.iter().zip(&mut copied) {
        let filled = fill(&mut source, &mut target, table, |done| progress(&table.name, Step::Copying, done, *rows));
        *mended = filled.await?;
    }
    for (table, Copied { rows, .. }) in tables.iter().zip(&copied) {
        let checked =
            verify(&mut source, &mut target, table, |done| progress(&table.name, Step::Verifying, done, *rows));
        ensure!(checked.await? == *rows, "the table `{}` changed while it was copied", table.name);
    }
    target.commit().await?;
    Ok(copied)
}

/// Answers what was mended.
async fn fill(
    source: &mut Conn,
    target: &mut Conn,
    table: &Table,
    mut done: impl FnMut(u64),
) -> anyhow::Result<Vec<(String, String)>> {
    let rows = source.fetch::<Values>(AssertSqlSafe(table.select()), params![])?;
    let mut batches = rows.chunks(BATCH);
    let (mut written, mut mended) = (0, Vec::new());
    while let Some(batch) = batches.next().await {
        let mut rows = batch.into_iter().collect::<crate::Result<Vec<Values>>>()?;
        for row in &mut rows {
            mended.extend(mend(row).into_iter().map(|column| (key(table, row), table.columns[column].name.clone())));
        }
        let cells: Vec<Cell> = rows.iter().flat_map(|row| cells(table, &row.0)).collect();
        let params: Vec<&dyn Param> = cells.iter().map(|cell| cell as &dyn Param).collect();
        target.execute(AssertSqlSafe(table.insert(rows.len())), &params).await?;
        written += rows.len() as u64;
        done(written);
    }
    Ok(mended)
}

/// Takes out what no engine is given. Answers the places of the columns where it stood.
fn mend(row: &mut Values) -> Vec<usize> {
    let mut mended = Vec::new();
    for (place, value) in row.0.iter_mut().enumerate() {
        if let Value::Text(text) = value
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
            mended.push(place);
        }
    }
    mended
}

/// The primary key of a row, for people.
fn key(table: &Table, row: &Values) -> String {
    let parts = table.columns.iter().zip(&row.0).filter(|(column, _)| column.key > 0);
    let parts = parts.map(|(_, value)| match value {
        Value::Text(text) => crate::text::quoted(text),
        other => format!("{other:?}"),
    });
    parts.collect::<Vec<_>>().join(" ")
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
        let (mut theirs, ours) = (theirs.next().await.transpose()?, ours.next().await.transpose()?);
        if let Some(row) = &mut theirs {
            mend(row);
        }
        match (theirs, ours) {
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
