//! The life of a prompt: draft, published, deprecated, archived; what may follow what, and what it takes.
mod as_was;
mod model;
mod repository;
mod service;

pub use as_was::{after, append_as_was, count_successors, set_successor_as_was};
pub use model::{LifecycleChange, LifecycleOrder, NewStatus, Rule, Rules, StatusCounts};
pub use service::{change, change_in, counts, first_published, history, rules};
