//! Giving results to a store of documents, where there is one.
use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{documents::CONTENT_TYPE, repository};
use crate::{
    app::App,
    caller::Caller,
    error::{Error, Result},
    http::Failure,
    id::DocumentId,
    jobs::{Claim, Job, Outcome, Queue},
};

/// Give a version of a document to the store of documents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoreDocument {
    /// The document.
    pub document_id: DocumentId,
    /// Its version.
    pub version: i64,
}

impl Job for StoreDocument {
    const QUEUE: Queue = Queue::DocumentDeliveries;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{} {}", self.document_id, self.version))
    }
}

/// Sends a document. It may arrive twice: its id and version tell.
pub async fn deliver(app: &App, claim: &Claim, caller: &Caller, job: &StoreDocument) -> Result<Outcome> {
    let found = repository::document(&mut app.db.read().await?, job.document_id, Some(job.version)).await?;
    let (Some(row), Some(store)) = (found, &app.doc_store) else { return Ok(Outcome::Done) };
    if row.stored_at.is_some() {
        return Ok(Outcome::Done);
    }
    let body = json!({
        "content": row.report,
        "content_type": CONTENT_TYPE,
        "metadata": {
            "document_id": row.id,
            "document_version": row.version,
            "prompt_id": row.prompt_id,
            "prompt_version": row.base_version,
            "session_id": row.refinement_id,
            "title": row.title,
            "llm_service": row.llm_service,
            "model": row.model,
            "created_by": row.created_by,
            "created_at": row.created_at,
        },
        "correlation_id": row.refinement_id,
    });
    let body = serde_json::to_vec(&body).map_err(|error| Error::Internal(error.into()))?;
    let unavailable = |source| Error::Unavailable {
        code: "document-store-unavailable",
        detail: "the store of documents did not take a document",
        source,
    };
    let answer = store.post("/api/v1/documents", body).await.map_err(|failure| match failure {
        Failure::Blocked => Error::conflict("document-store-blocked", "requests may not go to DOC_STORE_URL"),
        Failure::Timeout | Failure::ConnectionFailed => unavailable(anyhow!("{}", failure.code())),
    })?;
    match answer.status {
        status if status.is_success() => {}
        status if status.is_server_error() || matches!(status.as_u16(), 408 | 429) => {
            return Err(unavailable(anyhow!("status {status}")));
        }
        status => {
            let detail = format!("the store of documents answered {status}; see DOC_STORE_URL");
            return Err(Error::conflict("document-refused", detail));
        }
    }
    let mut tx = app.begin(caller).await?;
    claim.hold(&mut tx, app.settings.lease).await?;
    repository::stored(&mut tx, job.document_id, job.version).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}
