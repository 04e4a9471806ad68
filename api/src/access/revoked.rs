//! What takes long is ended when the key that asked for it is taken back.
use std::time::Duration;

use shared::{App, Caller, access, caller::Scope};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::unauthenticated;
use crate::problem::Problem;

/// So often a key is looked at while its request runs. Half of what is promised, so that a slow look is in time.
const LOOKS: Duration = Duration::from_millis(500);

/// Knows whether a caller may still do what it was let in for. Watches for as long as it is held.
pub(crate) struct Watched {
    ended: CancellationToken,
    _watching: AbortOnDropHandle<()>,
}

impl Watched {
    /// From now on.
    pub(crate) fn begin(app: &App, caller: &Caller, scope: Scope) -> Self {
        let ended = CancellationToken::new();
        let watching = tokio::spawn(watch(app.clone(), caller.actor.to_string(), scope, ended.clone()));
        Self { ended, _watching: AbortOnDropHandle::new(watching) }
    }

    /// Cancelled as soon as the caller may not any more.
    pub(crate) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// 401, if the caller may not any more.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.ended.is_cancelled() { Err(unauthenticated()) } else { Ok(()) }
    }
}

async fn watch(app: App, actor: String, scope: Scope, ended: CancellationToken) {
    loop {
        tokio::time::sleep(LOOKS).await;
        match access::grant_of(&app, &actor).await {
            Ok(grant) if !grant.allows(scope) => return ended.cancel(),
            Ok(_) => {}
            Err(error) => tracing::warn!(error = error.for_log(), "could not look whether a key was taken back"),
        }
    }
}
