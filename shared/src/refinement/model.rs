//! A refinement: what was asked for, what came of it, and what became of that.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    db::{FromRow, Json},
    id::{DocumentId, PromptId, RefinementId},
    llm::LlmService,
    names::names,
    text,
    versions::{Body, Changes},
    violations::Violations,
};

const INSTRUCTIONS_CHARS_MAX: usize = 10_000;
const USER_ID_CHARS_MAX: usize = 255;
const CONTEXT_DOCUMENTS_MAX: usize = 10;
const CONTEXT_DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Where a refinement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefinementStatus {
    /// A worker asks, or will.
    Processing,
    /// There is a result for a person to look at.
    Completed,
    /// There is none; the error says why.
    Failed,
    /// The result is a version of the prompt.
    Applied,
}

names!(RefinementStatus { Processing = "processing", Completed = "completed", Failed = "failed", Applied = "applied" });

/// What is to become of a prompt.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefinement {
    /// What should be better. At most 10,000 characters.
    #[schema(max_length = 10_000)]
    pub refinement_instructions: String,
    /// Who is asked: one of those that are configured. `rules` asks no model, and is always there.
    #[serde(default)]
    #[schema(value_type = LlmService)]
    pub llm_service: Option<String>,
    /// What else there is to know: texts of at most 64 KiB, or ids of documents, at most 10.
    #[serde(default)]
    pub context_documents: Vec<String>,
    /// On whose behalf.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The refinement whose result is to be refined further, in the place of the prompt's newest version.
    #[serde(default)]
    pub parent_session_id: Option<RefinementId>,
}

impl NewRefinement {
    pub(super) fn check(&self) -> crate::error::Result<()> {
        let mut wrong = Violations::default();
        let pointer = "/refinement_instructions";
        wrong.take(text::no_nul(&self.refinement_instructions, pointer));
        let chars = self.refinement_instructions.chars().count();
        wrong.unless(
            !self.refinement_instructions.trim().is_empty() && chars <= INSTRUCTIONS_CHARS_MAX,
            pointer,
            "out-of-range",
            &format!("must say something, in at most {INSTRUCTIONS_CHARS_MAX} characters"),
        );
        if let Some(user) = &self.user_id {
            wrong.take(text::identifier(user, "/user_id", USER_ID_CHARS_MAX));
        }
        wrong.unless(
            self.context_documents.len() <= CONTEXT_DOCUMENTS_MAX,
            "/context_documents",
            "too-many",
            &format!("may have at most {CONTEXT_DOCUMENTS_MAX} documents"),
        );
        for (index, document) in self.context_documents.iter().take(CONTEXT_DOCUMENTS_MAX).enumerate() {
            let pointer = format!("/context_documents/{index}");
            wrong.take(text::no_nul(document, &pointer));
            if document.is_empty() || document.len() > CONTEXT_DOCUMENT_BYTES_MAX {
                wrong.push(pointer, "out-of-range", "a context document must have 1 byte to 64 KiB");
            }
        }
        wrong.end()
    }
}

/// A row of `refinements`.
#[derive(Clone, Debug, FromRow)]
pub(super) struct SessionRow {
    pub(super) id: RefinementId,
    pub(super) prompt_id: PromptId,
    pub(super) base_version: i64,
    pub(super) parent_id: Option<RefinementId>,
    pub(super) status: RefinementStatus,
    pub(super) llm_service: LlmService,
    pub(super) model: Option<String>,
    pub(super) instructions: String,
    pub(super) context: Json<Vec<String>>,
    pub(super) user_id: Option<String>,
    pub(super) error_code: Option<String>,
    pub(super) error_detail: Option<String>,
    pub(super) spent_nanos: i64,
    pub(super) document_id: DocumentId,
    pub(super) document_version: Option<i64>,
    pub(super) applied_version: Option<i64>,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) applied_at: Option<Timestamp>,
}

/// A call that was made for a refinement, or was about to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct Call {
    /// From 1.
    pub number: i64,
    /// `asked` is in doubt: the worker may have been lost before the answer was written down.
    pub state: CallState,
    /// Why there is no answer, if there is none.
    pub error_code: Option<String>,
    /// What the model read, as it says.
    pub input_tokens: Option<i64>,
    /// What it wrote, as it says.
    pub output_tokens: Option<i64>,
    /// What it cost, or is taken to cost, in US dollars.
    #[serde(with = "dollars")]
    #[schema(value_type = f64)]
    #[sqlx(rename = "cost_nanos")]
    pub cost_usd: i64,
    /// When.
    pub asked_at: Timestamp,
    /// When the answer, or the failure, was written down.
    pub ended_at: Option<Timestamp>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Nobody knows.
    Asked,
    /// It was answered.
    Answered,
    /// It was not.
    Failed,
}

names!(CallState { Asked = "asked", Answered = "answered", Failed = "failed" });

/// Why a refinement failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefinementError {
    /// Stable: `service-timeout`, `answer-unreadable`, `unusable-answer`, `refused`, `budget-exceeded`, …
    pub code: String,
    /// What happened and what to do, in a sentence.
    pub detail: String,
}

/// What a refinement led to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Refined {
    /// The text, as the prompt would hold it.
    #[serde(flatten)]
    pub body: Body,
    /// What differs from what was refined.
    pub diff: Changes,
    /// What the rules find before and after: `{before, after, appeared, gone}`.
    #[schema(value_type = Object)]
    pub lint: Value,
}

/// Where a refinement wrote what it led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentReference {
    /// `doc_…`
    pub id: DocumentId,
    /// Refining a result further makes the next version.
    pub version: i64,
}

/// A refinement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Refinement {
    /// `ref_…`
    pub session_id: RefinementId,
    /// What is refined.
    pub prompt_id: PromptId,
    /// Its newest version, when this began.
    pub base_version: i64,
    /// The refinement whose result is refined further.
    pub parent_session_id: Option<RefinementId>,
    /// Where it stands.
    pub status: RefinementStatus,
    /// Who is asked.
    pub llm_service: LlmService,
    /// The model that answered, or is asked.
    pub model: Option<String>,
    /// What should be better.
    pub refinement_instructions: String,
    /// What else there was to know.
    pub context_documents: Vec<String>,
    /// On whose behalf.
    pub user_id: Option<String>,
    /// Why it failed.
    pub error: Option<RefinementError>,
    /// Where the result is kept.
    pub document: Option<DocumentReference>,
    /// The result. Left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Refined>,
    /// The calls that were made for it. Left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Call>>,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// The version that its result became.
    pub applied_version: Option<i64>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When there was a result, or none.
    pub finished_at: Option<Timestamp>,
    /// When its result became a version.
    pub applied_at: Option<Timestamp>,
}

impl SessionRow {
    /// Its document, once there is one.
    pub(super) fn document(&self) -> Option<DocumentReference> {
        self.document_version.map(|version| DocumentReference { id: self.document_id, version })
    }

    pub(super) fn show(self) -> Refinement {
        let document = self.document();
        let error = self.error_code.map(|code| {
            let detail = self.error_detail.unwrap_or_default();
            RefinementError { code, detail }
        });
        Refinement {
            session_id: self.id,
            prompt_id: self.prompt_id,
            base_version: self.base_version,
            parent_session_id: self.parent_id,
            status: self.status,
            llm_service: self.llm_service,
            model: self.model,
            refinement_instructions: self.instructions,
            context_documents: self.context.0,
            user_id: self.user_id,
            error,
            document,
            result: None,
            calls: None,
            cost_usd: dollars::of(self.spent_nanos),
            applied_version: self.applied_version,
            created_by: self.created_by,
            created_at: self.created_at,
            finished_at: self.finished_at,
            applied_at: self.applied_at,
        }
    }
}

/// Billionths of a dollar, told as dollars.
pub(super) mod dollars {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::cast_precision_loss, reason = "exact below nine million dollars")]
    pub(crate) fn of(nanos: i64) -> f64 {
        nanos as f64 / 1e9
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde says so")]
    pub(crate) fn serialize<S: Serializer>(nanos: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(of(*nanos))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        #[expect(clippy::cast_possible_truncation, reason = "written by us")]
        Ok((f64::deserialize(deserializer)? * 1e9).round() as i64)
    }
}
