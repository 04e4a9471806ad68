//! The worker's routing table: which domain operation each queue's job runs, and what its end in failure means.
use shared::{
    App, Caller, Result,
    ab_testing::{self, EvaluateAbTest},
    analytics,
    bulk::{self, RunBulkOperation, RunSmallBulkOperation},
    db::Tx,
    drift::{self, EvaluateDrift},
    jobs::{Claim, Outcome, Queue},
    prompts,
    refinement::{self, RefinePrompt},
    serving,
    webhooks::{self, DeliverWebhooks},
};

/// Runs a job.
pub(crate) async fn dispatch(app: &App, caller: &Caller, claim: &Claim) -> Result<Outcome> {
    match claim.queue {
        Queue::BulkOperations => {
            let job: RunBulkOperation = claim.order()?;
            bulk::run(app, claim, job.operation_id).await
        }
        Queue::SmallBulkOperations => {
            let RunSmallBulkOperation(job) = claim.order()?;
            bulk::run(app, claim, job.operation_id).await
        }
        Queue::UsageRollups => analytics::roll_up(app, claim, caller).await,
        Queue::Experiments => {
            let job: EvaluateAbTest = claim.order()?;
            ab_testing::evaluate(app, claim, caller, job.test_id).await
        }
        Queue::Drift => {
            let job: EvaluateDrift = claim.order()?;
            drift::evaluate_all(app, claim, caller, job.day).await
        }
        Queue::SearchIndex => {
            prompts::index_missing(app, claim, caller).await?;
            refinement::index_missing(app, claim, caller).await
        }
        Queue::RefinementSessions => {
            let job: RefinePrompt = claim.order()?;
            refinement::refine(app, claim, caller, job.session_id).await
        }
        Queue::DocumentDeliveries => refinement::deliver(app, claim, caller, &claim.order()?).await,
        Queue::CacheWarmups => serving::warm_up(app, claim, caller, claim.order()?).await,
        Queue::WebhookDeliveries => {
            let job: DeliverWebhooks = claim.order()?;
            webhooks::deliver(app, claim, job.webhook_id).await
        }
    }
}

/// A job is dead: whoever waits for it learns that nobody will finish it. Part of the transaction that buries
/// the job. An order that cannot be read tells nobody's name; its job must be buried all the same.
pub(crate) async fn gave_up(tx: &mut Tx, claim: &Claim) -> Result<()> {
    match claim.queue {
        Queue::BulkOperations => match claim.order::<RunBulkOperation>() {
            Ok(job) => bulk::gave_up(tx, &job).await,
            Err(_) => Ok(()),
        },
        Queue::SmallBulkOperations => match claim.order::<RunSmallBulkOperation>() {
            Ok(RunSmallBulkOperation(job)) => bulk::gave_up(tx, &job).await,
            Err(_) => Ok(()),
        },
        // The next start of an API orders the one again, the next tick others; a person looks at documents that were not
        // taken, and has them sent again. Who is not warmed up is only slower.
        Queue::SearchIndex | Queue::UsageRollups | Queue::Drift | Queue::DocumentDeliveries | Queue::CacheWarmups => {
            Ok(())
        }
        Queue::Experiments => match claim.order() {
            Ok(job) => ab_testing::gave_up(tx, &job).await,
            Err(_) => Ok(()),
        },
        Queue::RefinementSessions => match claim.order() {
            Ok(job) => refinement::gave_up(tx, &job).await,
            Err(_) => Ok(()),
        },
        Queue::WebhookDeliveries => match claim.order() {
            Ok(job) => webhooks::gave_up(tx, &job).await,
            Err(_) => Ok(()),
        },
    }
}
