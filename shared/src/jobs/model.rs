//! A job as people see it.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Queue;
use crate::{clock::Timestamp, db::FromRow, id::JobId, names::names};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its time or for a worker.
    Available,
    /// A worker has it.
    Running,
    /// It ended well.
    Done,
    /// It was given up.
    Dead,
}

names!(JobState { Available = "available", Running = "running", Done = "done", Dead = "dead" });

/// A job, for people.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, FromRow)]
pub struct JobRow {
    /// `job_…`
    pub id: JobId,
    /// What kind of work it is: `bulk-operations`, `webhook-deliveries`.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// Where it stands.
    pub state: JobState,
    /// How often it failed.
    pub attempts: i64,
    /// The code of what it failed with last. The log has the rest, under the job's id.
    pub error: Option<String>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it is tried next, or when its worker must have shown that it lives.
    pub run_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// Which jobs are wanted.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// They stand here.
    pub state: Option<JobState>,
    /// They are of this kind.
    pub queue: Option<Queue>,
}

impl JobRow {
    /// With no more of its error than the code.
    pub(super) fn brief(mut self) -> Self {
        self.error = self.error.map(|error| error.split(':').next().unwrap_or_default().to_owned());
        self
    }
}

/// How many jobs of a queue are in a state, and since when the first of them has been due.
#[derive(Clone, Debug, FromRow)]
pub struct Depth {
    /// Which queue.
    pub queue: Queue,
    /// `available`, `running`, `done` or `dead`.
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// The earliest `run_at` among them.
    pub oldest_run_at: Timestamp,
}
