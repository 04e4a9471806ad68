//! What the index is told of a document.
use serde::{Deserialize, Serialize};

use super::{documents::DocumentRow, repository};
use crate::{
    app::App,
    caller::Caller,
    db::Tx,
    error::Result,
    id::DocumentId,
    jobs::{Claim, Job, Outcome, Queue},
    search::{self, ANALYSIS},
};

/// Documents of one transaction.
const CHUNK: i64 = 20;

/// Put every document into the index that it does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexDocuments {}

impl Job for IndexDocuments {
    const QUEUE: Queue = Queue::SearchIndex;

    fn unique_key(&self) -> Option<String> {
        Some("documents".to_owned())
    }
}

/// Lets a document be found as its newest version is.
pub(super) async fn put(tx: &mut Tx, id: DocumentId) -> Result<()> {
    let Some(row) = repository::document(tx, id, None).await? else { return Ok(()) };
    let DocumentRow { title, result, instructions, created_by, model, created_at, .. } = row;
    let Some(result) = result else { return Ok(()) };
    let body = result.0.body;
    let messages = body.messages.iter().flatten().map(|message| message.content.as_str());
    let (category, name) = title.split_once('/').unwrap_or(("", &title));
    let document = search::Document {
        id: id.to_string(),
        live: true,
        name,
        category,
        tags: &[],
        labels: Vec::new(),
        lifecycle_status: String::new(),
        template_format: String::new(),
        created_by: &created_by,
        model: model.as_deref(),
        variables: &[],
        description: &instructions,
        body: body.content.as_deref().into_iter().chain(messages).collect(),
        updated_at: created_at,
    };
    search::put(tx, &document).await
}

/// Orders the index to be completed, if it is not complete. Whoever serves asks this at the start.
pub async fn order_index(app: &App, caller: &Caller) -> Result<()> {
    if repository::not_indexed(&mut app.db.read().await?, "", ANALYSIS, 1).await?.is_empty() {
        return Ok(());
    }
    let mut tx = app.begin(caller).await?;
    tx.enqueue(&IndexDocuments {}).await?;
    tx.commit().await
}

/// Completes the index, chunk by chunk. Done twice, it finds nothing left to do.
pub async fn index_missing(app: &App, claim: &Claim, caller: &Caller) -> Result<Outcome> {
    let mut after = String::new();
    loop {
        let mut tx = app.begin(caller).await?;
        claim.hold(&mut tx, app.settings.lease).await?;
        let ids = repository::not_indexed(&mut tx, &after, ANALYSIS, CHUNK).await?;
        for id in &ids {
            put(&mut tx, *id).await?;
        }
        tx.commit().await?;
        match ids.last() {
            Some(last) => after = last.to_string(),
            None => return Ok(Outcome::Done),
        }
    }
}
