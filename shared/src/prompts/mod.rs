//! Prompts: kept, changed, found by name. The domain to imitate.
mod events;
mod history;
mod indexing;
mod input;
mod listing;
mod model;
mod repository;
mod searching;
mod service;
mod uses;

pub use history::{delete_label, diff, label_history, labels, rollback, set_label, version, versions};
pub use indexing::{Checked, IndexPrompts, check, index_missing, order_index};
pub use input::{ContentPatch, Draft, Fork, NewPrompt, PromptPatch};
pub use listing::{CategoryCount, PromptFilter, Sort, TagCount, categories, list, tags};
pub use model::{LifecycleStatus, Precondition, Prompt, Selector, Show};
pub use searching::{Correction, Explanation, Highlights, OneOrMany, SearchHit, SearchRequest, SearchResults, search};
pub use service::{
    check_existing, count_by_status, create, delete, find_by_name, fork, get, hold, hold_existing, hold_named, insert,
    restore, set_status, update, update_content, update_in,
};
pub use uses::write_uses;
