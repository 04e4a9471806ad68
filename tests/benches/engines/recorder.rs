//! Listens to what the product says of each statement it runs, so that the very same can be run without it.
use std::sync::{Arc, Mutex};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Where the product says it.
const TARGET: &str = "shared::db::conn";

type Statements = Arc<Mutex<Vec<&'static str>>>;

/// The SQL of one operation, in order, with `BEGIN` and `COMMIT`. The operation must not leave this thread.
pub(crate) async fn record(operation: impl Future<Output = ()>) -> Vec<&'static str> {
    let statements = Statements::default();
    let listening = tracing::dispatcher::set_default(&Dispatch::new(Recorder(statements.clone())));
    operation.await;
    drop(listening);
    // From here on nobody listens, and saying it must be as cheap as it was.
    tracing::callsite::rebuild_interest_cache();
    let heard = statements.lock().unwrap().clone();
    assert!(!heard.is_empty(), "`{TARGET}` says no longer which statements it runs");
    heard
}

struct Recorder(Statements);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && *metadata.level() == Level::TRACE && metadata.is_event()
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Sql(&self.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Sql<'a>(&'a Statements);

impl Visit for Sql<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            // sqlx asks for text that lives as long as the program, and so does this.
            self.0.lock().unwrap().push(value.to_owned().leak());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
