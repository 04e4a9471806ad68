//! Small writes that arrive at the same time share a transaction, so that the disk is waited for once.
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::{
    app::App,
    caller::Caller,
    db::Tx,
    error::{Error, Result},
    line, retry,
};

/// The most weight of one transaction, unless one write has more.
const TOGETHER_MAX: usize = 2000;

/// A write that may share its transaction with others of its kind.
pub trait Grouped: Send + Sync + Sized + 'static {
    /// What whoever asked for the write is told.
    type Answer: Send + 'static;

    /// How many rows it writes.
    fn weight(&self) -> usize;

    /// Does some writes, and answers each. Run again as a whole if others were faster.
    fn write(tx: &mut Tx, writes: &[Self]) -> impl Future<Output = Result<Vec<Self::Answer>>> + Send;
}

/// Does a write together with those that wait beside it. Answers once it is on disk.
pub async fn write<W: Grouped>(app: &App, caller: &Caller, write: W) -> Result<W::Answer> {
    let (tell, told) = oneshot::channel();
    if app.memory.of::<Line<W>>().join((write, caller.clone(), tell)) {
        // A task of its own: whoever asked may go away, and others wait for the same transaction.
        tokio::spawn(lead::<W>(app.clone()));
    }
    told.await.unwrap_or_else(|_| Err(Error::internal("nobody did the write")))
}

/// A write, who asked for it, and where to tell what became of it.
type Waiting<W> = (W, Caller, oneshot::Sender<Result<<W as Grouped>::Answer>>);

/// What waits to be written in this process.
struct Line<W: Grouped>(Mutex<Standing<W>>);

struct Standing<W: Grouped> {
    waiting: Vec<Waiting<W>>,
    /// Somebody writes, and will look again.
    is_led: bool,
}

impl<W: Grouped> Default for Line<W> {
    fn default() -> Self {
        Self(Mutex::new(Standing { waiting: Vec::new(), is_led: false }))
    }
}

impl<W: Grouped> Line<W> {
    fn standing(&self) -> MutexGuard<'_, Standing<W>> {
        self.0.lock().expect("nobody panics while standing in line")
    }

    /// Answers whether somebody has to lead.
    fn join(&self, write: Waiting<W>) -> bool {
        let mut standing = self.standing();
        standing.waiting.push(write);
        !std::mem::replace(&mut standing.is_led, true)
    }

    /// The first of those that wait, at least one; nothing, if none does, and then nobody leads any more.
    fn take(&self) -> Option<Vec<Waiting<W>>> {
        let mut standing = self.standing();
        let mut weight = 0;
        let fits = |(write, ..): &Waiting<W>| {
            weight += write.weight();
            weight <= TOGETHER_MAX
        };
        let waiting = &mut standing.waiting;
        let writes = waiting.iter().map(fits).take_while(|fits| *fits).count().max(1).min(waiting.len());
        let taken: Vec<_> = waiting.drain(..writes).collect();
        standing.is_led = !taken.is_empty();
        Some(taken).filter(|taken| !taken.is_empty())
    }
}

/// Lets others lead, should this one be lost; those that wait learn that nobody does their writes.
struct Lead<W: Grouped>(Arc<Line<W>>);

impl<W: Grouped> Drop for Lead<W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.standing() = Standing { waiting: Vec::new(), is_led: false };
        }
    }
}

/// Writes what waits, again and again, until nothing does.
async fn lead<W: Grouped>(app: App) {
    let lead = Lead::<W>(app.memory.of());
    loop {
        // Those who have just been answered come back at once, and shall all be let in.
        tokio::task::yield_now().await;
        let Some(taken) = lead.0.take() else { return };
        let caller = taken[0].1.clone();
        let (writes, tell): (Vec<_>, Vec<_>) = taken.into_iter().map(|(write, _, tell)| (write, tell)).unzip();
        let written = retry::races(async || {
            let mut tx = app.begin(&caller).await?;
            let answers = W::write(&mut tx, &writes).await?;
            tx.commit().await?;
            Ok(answers)
        });
        let mut outcome = line::for_client(written).await.map(Vec::into_iter);
        for tell in tell {
            let answer = match &mut outcome {
                Ok(answers) => answers.next().ok_or_else(|| Error::internal("an answer is missing")),
                Err(error) => Err(error.again()),
            };
            // Who has gone does not want to know.
            let _ = tell.send(answer);
        }
    }
}
