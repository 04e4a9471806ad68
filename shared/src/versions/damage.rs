//! Is every version what was written?
use super::repository;
use crate::{
    db::Db,
    error::{DAMAGED, Error, Result},
    id::VersionId,
};

/// So many are looked up at once.
const CHUNK: i64 = 1000;

/// The versions that are not what was written, or cannot be read. `progress` hears how many were looked at.
pub async fn damaged(db: &Db, mut progress: impl FnMut(u64)) -> Result<Vec<VersionId>> {
    let (mut damaged, mut after, mut seen) = (Vec::new(), String::new(), 0);
    loop {
        let chunk = repository::ids(&mut db.read().await?, &after, CHUNK).await?;
        let Some((last, ..)) = chunk.last() else { return Ok(damaged) };
        after = last.to_string();
        for (id, prompt_id, version) in chunk {
            match repository::find(&mut db.read().await?, prompt_id, version).await {
                Ok(_) => {}
                Err(error @ Error::Unavailable { code, .. }) if code != DAMAGED => return Err(error),
                Err(_) => damaged.push(id),
            }
            seen += 1;
        }
        progress(seen);
    }
}
