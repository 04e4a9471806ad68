//! A bulk operation, its items, and how far it is.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::orders::TagChange;
use crate::{
    clock::Timestamp,
    db::FromRow,
    id::{OperationId, PromptId},
    names::names,
};

/// What happens to an item whose name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It fails.
    #[default]
    Fail,
    /// It is passed over.
    Skip,
    /// The prompt of that name becomes what the item says.
    Update,
}

names!(OnConflict { Fail = "fail", Skip = "skip", Update = "update" });

/// What an operation does to its prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationType {
    /// Makes them.
    Create,
    /// Changes them.
    Update,
    /// Deletes them, so that they can be restored.
    Delete,
    /// Gives them tags, and takes tags away.
    Tags,
    /// Makes them stand elsewhere in their life.
    Lifecycle,
    /// Makes them of the lines of a file, or brings them over from another store.
    Import,
}

names!(OperationType {
    Create = "create",
    Update = "update",
    Delete = "delete",
    Tags = "tags",
    Lifecycle = "lifecycle",
    Import = "import",
});

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// No worker has begun.
    Pending,
    /// A worker is at it.
    Processing,
    /// Every item went well.
    Completed,
    /// Every item was worked, and some failed.
    CompletedWithErrors,
    /// It was given up before its last item; `error` says why.
    Failed,
    /// Someone stopped it.
    Cancelled,
}

names!(OperationStatus {
    Pending = "pending",
    Processing = "processing",
    Completed = "completed",
    CompletedWithErrors = "completed_with_errors",
    Failed = "failed",
    Cancelled = "cancelled",
});

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Its turn has not come.
    Pending,
    /// It went well.
    Succeeded,
    /// There was nothing to do, or it was to be passed over.
    Skipped,
    /// It was refused; `code` and `detail` say why.
    Failed,
}

names!(ItemState { Pending = "pending", Succeeded = "succeeded", Skipped = "skipped", Failed = "failed" });

/// Which operations are wanted.
#[derive(Clone, Debug, Default)]
pub struct BulkFilter {
    /// They stand here.
    pub status: Option<OperationStatus>,
    /// They are of this type.
    pub operation_type: Option<OperationType>,
}

/// An operation on many prompts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkOperation {
    /// `op_…`
    pub id: OperationId,
    /// What it does.
    pub operation_type: OperationType,
    /// Where it stands.
    pub status: OperationStatus,
    /// What happens to items whose name is taken.
    pub on_conflict: OnConflict,
    /// Does it only say what would happen?
    pub dry_run: bool,
    /// How many items it has.
    pub total_items: i64,
    /// How many were worked: the sum of the next three.
    pub processed_items: i64,
    /// How many went well.
    pub successful_items: i64,
    /// How many were passed over.
    pub skipped_items: i64,
    /// How many were refused.
    pub failed_items: i64,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Until its end, at the pace it had so far; null before it has one, and after its end.
    pub time_estimate_seconds: Option<f64>,
    /// The first 100 refused items.
    pub errors: Vec<BulkError>,
    /// Why it was given up.
    pub error: Option<String>,
    /// Who ordered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When a worker began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Why an item was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromRow)]
pub struct BulkError {
    /// The item's place in the request, from 0.
    pub index: i64,
    /// Of an import: the line it came in, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[sqlx(default)]
    pub line: Option<i64>,
    /// Stable and kebab-case: `prompt-name-taken`, `duplicate`, `validation-failed`.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
}

/// An item and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct BulkItem {
    /// Its place in the request, from 0.
    pub index: i64,
    /// Of an import: the line it came in, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[sqlx(default)]
    pub line: Option<i64>,
    /// What became of it.
    pub state: ItemState,
    /// The prompt it made or changed.
    pub prompt_id: Option<PromptId>,
    /// Why it was refused or passed over.
    pub code: Option<String>,
    /// One sentence for a person.
    pub detail: Option<String>,
}

/// An operation as its table holds it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OperationRow {
    pub(super) id: OperationId,
    pub(super) operation_type: OperationType,
    pub(super) status: OperationStatus,
    pub(super) on_conflict: OnConflict,
    pub(super) dry_run: bool,
    pub(super) total_items: i64,
    pub(super) successful_items: i64,
    pub(super) skipped_items: i64,
    pub(super) failed_items: i64,
    /// The items before it are settled.
    pub(super) next_item: i64,
    #[sqlx(json(nullable))]
    pub(super) parameters: Option<TagChange>,
    pub(super) round: i64,
    pub(super) error: Option<String>,
    pub(super) created_by: String,
    pub(super) request_id: String,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

impl OperationRow {
    pub(super) fn processed_items(&self) -> i64 {
        self.successful_items + self.skipped_items + self.failed_items
    }

    /// The line an item came in, where it came in one.
    pub(super) fn line(&self, index: i64) -> Option<i64> {
        (self.operation_type == OperationType::Import).then_some(index + 1)
    }

    pub(super) fn is_over(&self) -> bool {
        !matches!(self.status, OperationStatus::Pending | OperationStatus::Processing)
    }

    /// As it is seen from outside, at the moment `now`.
    pub(super) fn show(self, mut errors: Vec<BulkError>, now: Timestamp) -> BulkOperation {
        for error in &mut errors {
            error.line = self.line(error.index);
        }
        let (processed, total) = (self.processed_items(), self.total_items);
        let left = as_f64(total - processed);
        let pace = self.started_at.filter(|_| processed > 0 && !self.is_over());
        let estimate = pace.map(|started| now.since(started).as_secs_f64() / as_f64(processed) * left);
        BulkOperation {
            processed_items: processed,
            progress_percentage: match total {
                0 if self.is_over() => 100.0,
                _ => (as_f64(processed) / as_f64(total.max(1)) * 1000.0).round() / 10.0,
            },
            time_estimate_seconds: estimate.map(|seconds| (seconds * 10.0).round() / 10.0),
            errors,
            id: self.id,
            operation_type: self.operation_type,
            status: self.status,
            on_conflict: self.on_conflict,
            dry_run: self.dry_run,
            total_items: self.total_items,
            successful_items: self.successful_items,
            skipped_items: self.skipped_items,
            failed_items: self.failed_items,
            error: self.error,
            created_by: self.created_by,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
        }
    }
}

/// Item counts are far below 2^31.
fn as_f64(count: i64) -> f64 {
    i32::try_from(count).map_or(f64::MAX, f64::from)
}
