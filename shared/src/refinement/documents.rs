//! What refinements led to: kept for good, and found by their words.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Refined, model::dollars, repository};
use crate::{
    app::App,
    caller::Caller,
    clock::Timestamp,
    db::{FromRow, Json},
    error::{Error, Result, Violation},
    id::{DocumentId, PromptId, RefinementId},
    llm::LlmService,
    page::{Page, PageRequest, Position, SortKey},
    search::{self, Kind, Place, Search},
};

/// What every document of ours is.
pub(super) const CONTENT_TYPE: &str = "prompt_refinement_result";
const LIMIT_MAX: i64 = 100;
/// What documents tell of, for whoever may not see everything.
const OF_ALL: &str = "the refinements of all prompts";
const LIMIT_DEFAULT: i64 = 20;

/// A row of `documents`, with what its refinement says.
#[derive(Clone, Debug, FromRow)]
pub(super) struct DocumentRow {
    pub(super) id: DocumentId,
    pub(super) version: i64,
    pub(super) newest: i64,
    pub(super) refinement_id: RefinementId,
    pub(super) prompt_id: PromptId,
    pub(super) base_version: i64,
    pub(super) llm_service: LlmService,
    pub(super) model: Option<String>,
    pub(super) instructions: String,
    pub(super) spent_nanos: i64,
    pub(super) created_by: String,
    pub(super) title: String,
    pub(super) report: String,
    pub(super) result: Option<Json<Refined>>,
    pub(super) created_at: Timestamp,
    pub(super) stored_at: Option<Timestamp>,
}

/// What a refinement led to, as a document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// `doc_…`
    pub id: DocumentId,
    /// From 1. Refining a result further makes the next.
    pub version: i64,
    /// The newest.
    pub newest_version: i64,
    /// What it is: `prompt_refinement_result`.
    pub content_type: String,
    /// The category and the name of the prompt, at that time.
    pub title: String,
    /// What was refined.
    pub prompt_id: PromptId,
    /// At which version.
    pub prompt_version: i64,
    /// By which refinement.
    pub session_id: RefinementId,
    /// What was asked for.
    pub refinement_instructions: String,
    /// Who was asked.
    pub llm_service: LlmService,
    /// The model that answered.
    pub model: Option<String>,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// The report, in Markdown. Left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The result itself. Left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Refined>,
    /// Who began the refinement.
    pub created_by: String,
    /// When the result was there.
    pub created_at: Timestamp,
    /// When the store of documents took it; null, if there is none or it has not yet.
    pub stored_at: Option<Timestamp>,
}

impl DocumentRow {
    fn show(self) -> Document {
        Document {
            id: self.id,
            version: self.version,
            newest_version: self.newest,
            content_type: CONTENT_TYPE.to_owned(),
            title: self.title,
            prompt_id: self.prompt_id,
            prompt_version: self.base_version,
            session_id: self.refinement_id,
            refinement_instructions: self.instructions,
            llm_service: self.llm_service,
            model: self.model,
            cost_usd: dollars::of(self.spent_nanos),
            content: Some(self.report).filter(|report| !report.is_empty()),
            result: self.result.map(|result| result.0),
            created_by: self.created_by,
            created_at: self.created_at,
            stored_at: self.stored_at,
        }
    }
}

/// A document; its newest version, unless another is named.
pub async fn document(app: &App, caller: &Caller, id: DocumentId, version: Option<i64>) -> Result<Document> {
    caller.must_reach_everything(OF_ALL)?;
    let mut conn = app.db.read_at_once().await?;
    match (repository::document(&mut conn, id, version).await?, version) {
        (Some(row), _) => Ok(row.show()),
        (None, Some(version)) if repository::document(&mut conn, id, None).await?.is_some() => {
            Err(Error::not_found("version", version))
        }
        (None, _) => Err(Error::not_found("document", id)),
    }
}

/// Documents, the newest first; of one prompt, or of all.
pub async fn documents(
    app: &App,
    caller: &Caller,
    prompt_id: Option<PromptId>,
    request: &PageRequest,
) -> Result<Page<Document>> {
    caller.must_reach_everything(OF_ALL)?;
    let name = format!("documents {:?}", prompt_id.map(|id| id.to_string()));
    let after = request.after(&app.secret, &name)?;
    let (rows, total) =
        repository::documents(&mut app.db.read_at_once().await?, prompt_id, after.as_ref(), request).await?;
    let rows = rows.into_iter().map(DocumentRow::show).collect();
    let position = |row: &Document| Position { key: SortKey::Number(row.created_at.millis()), id: row.id.to_string() };
    Ok(request.page(&app.secret, &name, total, rows, position))
}

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentSearch {
    /// As prompts are searched: words, "phrases", `-word`, `word*`, `category:`, `owner:` or `model:`, and `updated`. The
    /// other fields of prompts are refused.
    pub query: String,
    /// The most hits of the page, 1 to 100; 20 unless said.
    pub limit: Option<i64>,
    /// How many hits to pass over.
    pub offset: Option<i64>,
    /// The `next_cursor` of the page before, instead of an offset.
    pub cursor: Option<String>,
}

/// A document that was found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentHit {
    /// Its newest version, without the report.
    pub document: Document,
    /// Larger is better. Scores of two answers do not compare.
    pub score: f64,
    /// Of the result, the piece with the most words: HTML in which nothing but `<mark>` is markup.
    pub highlight: Option<String>,
}

/// Searches documents.
pub async fn search_documents(app: &App, caller: &Caller, request: &DocumentSearch) -> Result<Page<DocumentHit>> {
    caller.must_reach_everything(OF_ALL)?;
    if request.limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
        let detail = format!("`limit` must be 1 to {LIMIT_MAX}");
        return Err(Error::from_violations(vec![Violation::new("/limit", "out-of-range", detail)]));
    }
    let page = PageRequest::new(Some(request.limit.unwrap_or(LIMIT_DEFAULT)), request.offset, request.cursor.clone())?;
    let list = format!("search documents {:?}", crate::text::composed(&request.query));
    let after = Place::after(app, &page, &list)?;
    let search = Search { kind: Kind::Document, query: request.query.clone(), ..Search::default() };
    let mut found = search::find(app, search).await?;
    let hits = found.page(&page, after.as_ref());
    let mut items = Vec::with_capacity(hits.hits.len());
    for hit in &hits.hits {
        let Ok(id) = hit.id().parse() else { continue };
        let Some(row) = repository::document(&mut found.conn, id, None).await? else { continue };
        let document = row.show();
        let text = document.result.as_ref().map(|result| crate::versions::readable(&result.body));
        let highlight = text.and_then(|text| found.marker.piece(&text));
        let document = Document { content: None, result: None, ..document };
        items.push(DocumentHit { document, score: hit.score(), highlight });
    }
    Ok(page.page(&app.secret, &list, hits.total, items, |_| hits.end()))
}
