//! Prompts: kept, changed, found by name. The domain to imitate.
mod history;
mod input;
mod listing;
mod many;
mod model;
mod repository;
mod service;
mod uses;

pub use history::{delete_label, diff, label_history, labels, rollback, set_label, version, versions};
pub use input::{ContentPatch, Draft, Fork, NewPrompt, PromptPatch};
pub use listing::{CategoryCount, PromptFilter, Sort, TagCount, categories, list, tags};
pub use many::{
    PromptAsWas, follow_as_was, insert_as_was, insert_many, is_known, matching, page_to_export, set_status_as_was,
    set_successor,
};
pub use model::{LifecycleStatus, Precondition, Prompt, Selector, Show};
pub use service::{
    check_existing, count_by_status, create, delete, delete_in, find_by_name, fork, get, hold, hold_existing,
    hold_named, insert, restore, set_status, update, update_content, update_in,
};
pub use uses::write_uses;
