//! What happens in the store: events, each written in the transaction of its change, that others can follow.
mod model;
mod repository;
mod service;

pub use model::{Event, EventCount, EventKind, EventType};
pub use service::{
    News, after, announce, announce_many, announced, between, catalogue, counts, event, keep_objects, last, position,
    purge, recent, seal,
};
