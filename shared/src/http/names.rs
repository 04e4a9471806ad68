//! Looks up names, and lets a connection see only the addresses that it may go to. Whoever answers differently the
//! next time gains nothing: nobody asks a second time.
use std::{io, net::SocketAddr, sync::Arc};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::targets::Targets;

type LookUp = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Who knows which addresses a name has.
#[derive(Clone)]
pub struct Names(Arc<LookUp>);

impl Names {
    /// This machine, as it is set up.
    #[must_use]
    pub fn of_the_system() -> Self {
        Self(Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })))
    }

    /// Somebody else, as in a test.
    #[must_use]
    pub fn told_by(answer: impl Fn(&str) -> Vec<SocketAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |name| {
            let addresses = answer(&name);
            Box::pin(async move { Ok(addresses) })
        }))
    }
}

/// None of the addresses of a name may be gone to.
#[derive(Debug, thiserror::Error)]
#[error("no address of this name may be gone to")]
pub(super) struct NotAllowed;

pub(super) struct Checked {
    pub(super) names: Names,
    pub(super) targets: Arc<Targets>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, targets) = (name.as_str().to_owned(), Arc::clone(&self.targets));
        let looked_up = (self.names.0)(name.clone());
        Box::pin(async move {
            let mut addresses = looked_up.await?;
            let found = addresses.len();
            addresses.retain(|address| targets.may_reach(&name, address.ip()));
            if addresses.is_empty() && found > 0 {
                return Err(NotAllowed.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
