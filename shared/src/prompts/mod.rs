//! Prompts: kept, changed, found by name. The domain to imitate.
mod events;
mod history;
mod input;
mod listing;
mod model;
mod repository;
mod service;
mod uses;

pub use history::{delete_label, diff, label_history, labels, rollback, set_label, version, versions};
pub use input::{ContentPatch, Draft, Fork, NewPrompt, PromptPatch};
pub use listing::{CategoryCount, PromptFilter, Sort, TagCount, categories, list, tags};
pub use model::{LifecycleStatus, Precondition, Prompt, Selector, Show};
pub use service::{
    check_existing, count_by_status, create, delete, find_by_name, fork, get, hold, hold_existing, hold_named, insert,
    restore, set_status, update, update_content, update_in,
};
pub use uses::write_uses;
