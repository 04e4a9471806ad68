//! Many prompts at once: operations whose items are worked in chunks, each item by itself; and whole stores, as lines.
mod at_once;
mod events;
mod export;
mod import;
mod items;
mod jobs;
mod left_out;
mod model;
mod orders;
mod postgres;
mod records;
mod repository;
mod service;
mod sqlite;
mod work;

pub use at_once::{DryRun, create_now};
pub use export::{Exported, export};
pub use import::{Import, end_abandoned};
pub use items::Outcome;
pub use jobs::{RunBulkOperation, RunSmallBulkOperation};
pub use left_out::left_out;
pub use model::{
    BulkError, BulkFilter, BulkItem, BulkOperation, ItemState, OnConflict, OperationStatus, OperationType,
};
pub use orders::{BulkCreate, BulkDelete, BulkLifecycle, BulkPrompts, BulkTags, BulkUpdate, ITEMS_MAX};
pub use records::is_record;
pub use service::{
    cancel, change_lifecycle, change_tags, create, delete, gave_up, get, items, list, retry, revive, update,
};
pub use work::run;
