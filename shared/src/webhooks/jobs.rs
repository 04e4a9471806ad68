//! What webhooks order from workers.
use serde::{Deserialize, Serialize};

use crate::{
    id::WebhookId,
    jobs::{Job, Queue},
};

/// Send what is due to one receiver. There is one such job at a time for each, so whoever hangs keeps nobody else
/// waiting, and has no more in hand at once than it can be given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliverWebhooks {
    /// To whom.
    pub webhook_id: WebhookId,
}

impl Job for DeliverWebhooks {
    const QUEUE: Queue = Queue::WebhookDeliveries;

    fn unique_key(&self) -> Option<String> {
        Some(self.webhook_id.to_string())
    }
}
