//! The chain: each row of the audit log is sealed with a hash of what it says and of the seal before it, so that a row that
//! is changed, taken out or put in breaks every seal after it.
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{AuditRow, repository};
use crate::{
    app::App,
    caller::Caller,
    error::{Error, Result},
    id::AuditId,
};

/// So many rows are sealed in one transaction, or looked at at once.
const PORTION: i64 = 500;

/// What `verify` found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// So many rows are as they were sealed.
    pub rows: i64,
    /// So many are not sealed yet.
    pub unsealed: i64,
    /// The last seal. Whoever notes it elsewhere can tell later that nobody made the whole chain anew.
    pub head: String,
    /// Where the chain is broken first.
    pub fault: Option<Fault>,
}

/// Something that the log never does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This row does not say what was sealed.
    Changed(i64, AuditId),
    /// The rows from here to there are missing.
    Missing(i64, i64),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed(sequence, id) => write!(f, "row {sequence} ({id}) does not say what was sealed"),
            Self::Missing(first, last) if first == last => write!(f, "row {first} is missing"),
            Self::Missing(first, last) => write!(f, "rows {first} to {last} are missing"),
        }
    }
}

/// Seals what was written since the last time. Anybody may call it at any time: whoever comes second finds nothing to do.
pub async fn seal(app: &App, caller: &Caller) -> Result<()> {
    while repository::is_unsealed(&mut app.db.read().await?).await? {
        let mut tx = app.begin(caller).await?;
        let (mut sequence, mut last) = repository::lock_head(&mut tx).await?;
        let rows = repository::unsealed(&mut tx, PORTION).await?;
        let mut sealed = Vec::with_capacity(rows.len());
        for row in &rows {
            (sequence, last) = (sequence + 1, link(&last, row));
            sealed.push((row.id, sequence, last.clone()));
        }
        repository::seal(&mut tx, &sealed).await?;
        repository::set_head(&mut tx, sequence, &last).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Looks through the whole chain, and tells how far it got.
pub async fn verify(app: &App, mut progress: impl FnMut(i64)) -> Result<Verified> {
    let (end, head) = repository::head(&mut app.db.read().await?).await?;
    let (mut done, mut last) = (0, String::new());
    let mut fault = None;
    'rows: while done < end {
        let rows = repository::after(&mut app.db.read().await?, done, PORTION).await?;
        if rows.is_empty() {
            fault = Some(Fault::Missing(done + 1, end));
            break;
        }
        for row in rows.iter().filter(|row| row.sequence.is_some_and(|sequence| sequence <= end)) {
            let sequence = row.sequence.unwrap_or_default();
            if sequence != done + 1 {
                fault = Some(Fault::Missing(done + 1, sequence - 1));
                break 'rows;
            }
            let expected = link(&last, row);
            if row.seal.as_ref() != Some(&expected) {
                fault = Some(Fault::Changed(sequence, row.id));
                break 'rows;
            }
            (done, last) = (sequence, expected);
        }
        progress(done);
    }
    if fault.is_none() && last != head {
        return Err(Error::internal("the end of the audit log is not where it says"));
    }
    let unsealed = repository::count_unsealed(&mut app.db.read().await?).await?;
    Ok(Verified { rows: done, unsealed, head, fault })
}

/// The seal of a row: everything it says, each part with its length, after the seal before.
fn link(before: &str, row: &AuditRow) -> String {
    let at = row.at.millis().to_string();
    let id = row.id.to_string();
    let mut hash = Sha256::new();
    let mut take = |part: Option<&str>| {
        let part = part.map(str::as_bytes);
        // What is not there is something else than an empty text.
        hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    };
    let fields = [before, &id, &at, &row.actor, &row.request_id, &row.action, &row.object_id];
    for field in fields.map(Some).into_iter().chain([row.detail.as_deref(), row.state.as_deref()]) {
        take(field);
    }
    hex(&hash.finalize())
}

/// SHA-256 of an object, as it is answered.
pub(super) fn state(object: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(object).map_err(|error| Error::Internal(error.into()))?;
    Ok(hex(&Sha256::digest(json)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn every_part_of_a_row_and_the_seal_before_it_change_the_seal() {
        let row = AuditRow {
            id: AuditId::first_at(Timestamp::from_millis(7)),
            at: Timestamp::from_millis(7),
            actor: "a".to_owned(),
            request_id: "b".to_owned(),
            action: "c".to_owned(),
            object_id: "d".to_owned(),
            detail: None,
            state: Some(String::new()),
            before: None,
            sequence: None,
            seal: None,
        };
        let changed = [
            AuditRow { id: AuditId::first_at(Timestamp::from_millis(8)), ..row.clone() },
            AuditRow { at: Timestamp::from_millis(8), ..row.clone() },
            AuditRow { actor: "ab".to_owned(), request_id: String::new(), ..row.clone() },
            AuditRow { action: "d".to_owned(), object_id: "c".to_owned(), ..row.clone() },
            AuditRow { detail: Some(String::new()), state: None, ..row.clone() },
            AuditRow { state: None, ..row.clone() },
        ];
        let mut seals: Vec<String> = changed.iter().chain([&row]).map(|row| link("", row)).collect();
        seals.push(link("x", &row));
        seals.sort();
        seals.dedup();
        assert_eq!(seals.len(), changed.len() + 2);
    }
}
