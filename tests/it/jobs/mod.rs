//! Background jobs: the ledger's state machine, and one suite of promises for both doorbells.
mod claims;
mod doorbells;
mod failures;
mod promises;
mod redis;

use serde_json::json;
use shared::{
    App,
    bulk::RunBulkOperation,
    db::Json,
    id::{JobId, OperationId},
    jobs::{self, Doorbell, Queue},
};
use support::{TestApp, caller, until};

const QUEUE: Queue = Queue::BulkOperations;

const OPERATION: &str =
    "INSERT INTO bulk_operations (id, operation_type, status, on_conflict, dry_run, total_items, created_by,
                                  request_id, created_at)
     VALUES ($1, 'create', 'pending', 'fail', FALSE, 1, 'test', '-', $2)";
const ITEM: &str = "INSERT INTO bulk_items (operation_id, item, payload) VALUES ($1, 0, $2)";

const DONE: &str = "SELECT count(*) FROM jobs WHERE state = 'done'";
const DEAD: &str = "SELECT count(*) FROM jobs WHERE state = 'dead'";
const RUNNING: &str = "SELECT count(*) FROM jobs WHERE state = 'running'";
const JOBS: &str = "SELECT count(*) FROM jobs";
const PROMPTS: &str = "SELECT count(*) FROM prompts";

/// Orders `count` small jobs in one transaction: each makes one prompt, `{prefix}-0` and so on.
pub(crate) async fn order(app: &App, prefix: &str, count: usize) -> Vec<OperationId> {
    let mut tx = app.begin(&caller()).await.unwrap();
    let now = tx.now();
    let mut operations = Vec::with_capacity(count);
    for number in 0..count {
        let id = OperationId::generate(now);
        let item = json!({ "category": "jobs", "name": format!("{prefix}-{number}"), "content": "x" });
        tx.execute(OPERATION, &[&id, &now]).await.unwrap();
        tx.execute(ITEM, &[&id, &Json(item)]).await.unwrap();
        tx.enqueue(&RunBulkOperation { operation_id: id, round: 0 }).await.unwrap();
        operations.push(id);
    }
    tx.commit().await.unwrap();
    operations
}

/// The same store for someone whose rings are all lost.
fn silent(test: &TestApp) -> App {
    App { doorbell: Doorbell::Silent, ..test.app.clone() }
}

/// Waits until so many jobs are done, as long as they become more, and as many prompts made.
pub(crate) async fn all_done(test: &TestApp, count: usize) {
    let (count, mut done) = (i64::try_from(count).unwrap(), -1);
    while done < count {
        done = until("another job is done", async || {
            let now = test.count(DONE).await;
            (now > done).then_some(now)
        })
        .await;
    }
    assert_eq!((test.count(DONE).await, test.count(JOBS).await, test.count(PROMPTS).await), (count, count, count));
}

/// The one job that can be claimed now.
async fn only_due(test: &TestApp) -> JobId {
    let due = jobs::due(&test.app, QUEUE, 10).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due[0]
}

/// A job as the ledger holds it.
#[derive(Debug)]
struct Row {
    state: String,
    run_at: i64,
    attempts: i64,
    claims: i64,
    fence: i64,
    last_error: Option<String>,
}

async fn row(test: &TestApp, job: JobId) -> Row {
    const ROW: &str = "SELECT state, run_at, attempts, claims, fence, last_error FROM jobs WHERE id = $1";
    let mut conn = test.app.db.read().await.unwrap();
    let (state, run_at, attempts, claims, fence, last_error) = conn.fetch_one(ROW, &[&job]).await.unwrap();
    Row { state, run_at, attempts, claims, fence, last_error }
}

/// Runs a statement of the test's own, as an accident would.
async fn meddle(test: &TestApp, sql: &'static str) {
    let mut tx = test.app.begin(&caller()).await.unwrap();
    tx.execute(sql, &[]).await.unwrap();
    tx.commit().await.unwrap();
}
