//! Many prompts at once: operations whose items are worked in chunks, each item by itself.
mod events;
mod jobs;
mod model;
mod repository;
mod service;

pub use jobs::RunBulkOperation;
pub use model::{
    BulkCreate, BulkError, BulkFilter, BulkItem, BulkLifecycle, BulkOperation, ITEMS_MAX, ItemState, OnConflict,
    OperationStatus, OperationType,
};
pub use service::{Outcome, Rehearsed, change_lifecycle, create, create_now, gave_up, get, items, list, revive, run};
