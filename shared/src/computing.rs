//! What takes a processor long: on threads of their own, as many as there are processors, which the system gives less time than
//! those that answer.
use std::{sync::LazyLock, thread::available_parallelism};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

use crate::{
    error::{Error, Result},
    line::{Line, Place},
};

/// So many clients wait for a processor at once.
const WAITING: usize = 64;
/// How much they give way to others, as nice(2) counts it: they get about a tenth of what the others leave to nobody.
const NICE: i32 = 10;

struct Computers {
    line: Line,
    threads: Runtime,
}

fn processors() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

static COMPUTERS: LazyLock<Computers> = LazyLock::new(|| {
    let threads = Builder::new_current_thread()
        .max_blocking_threads(processors())
        .thread_name("computing")
        // It is no fault if they cannot give way.
        .on_thread_start(|| {
            let _ = rustix::process::nice(NICE);
        })
        .build();
    let threads = threads.expect("a runtime that drives nothing needs nothing from the system");
    Computers { line: Line::new("a processor", processors(), WAITING), threads }
});

/// Computes something. It goes on to its end, also where nobody waits for it any more.
pub(crate) async fn run<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn(place().await?, compute).await.map_err(|error| Error::Internal(error.into()))
}

/// Stands in line for a processor.
pub(crate) async fn place() -> Result<Place> {
    COMPUTERS.line.stand().await.map(|(place, _)| place)
}

/// Computes something for whoever has stood in line. The place is taken until it has ended.
pub(crate) fn spawn<T: Send + 'static>(place: Place, compute: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    COMPUTERS.threads.spawn_blocking(move || {
        let _until_it_ends = place;
        compute()
    })
}

/// Waits until nothing is computed for clients any more.
#[cfg(test)]
pub(crate) async fn until_all_have_ended() {
    COMPUTERS.line.until_empty(u32::try_from(processors()).unwrap()).await;
}
