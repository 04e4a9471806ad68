//! Prompts: kept, changed, found by name. The domain to imitate.
mod events;
mod history;
mod indexing;
mod input;
mod keeping;
mod listing;
mod many;
mod model;
mod repository;
mod searching;
mod service;

pub use history::{
    adopt, delete_label, diff, label_history, labels, rollback, set_label, set_label_in, version, versions,
};
pub use indexing::{Checked, IndexPrompts, check, index_missing, order_index};
pub use input::{ContentPatch, Draft, Fork, NewPrompt, PromptPatch};
pub use keeping::{changes_under_name, kept, mark_of_name};
pub use listing::{Bounds, CategoryCount, PromptFilter, Sort, TagCount, categories, list, tags};
pub use many::{
    PromptAsWas, Put, PutOutcome, Wanted, follow_as_was, format_before_v2, format_kept, insert_as_was, insert_many,
    is_known, matches, matching, most_used, moved_in, names_of, page_to_export, put_many, set_status_as_was,
    set_successor,
};
pub use model::{LifecycleStatus, PRODUCTION, Precondition, Prompt, Selector, ServedVersion, Show};
pub use searching::{Correction, Explanation, Highlights, OneOrMany, SearchHit, SearchRequest, SearchResults, search};
pub use service::{
    check_existing, check_reach, count_by_status, create, delete, delete_in, find_by_name, find_in, fork, get, hold,
    hold_existing, hold_for, hold_named, hold_to_replace, insert, is_in_reach, restore, set_status, sought,
    unreachable_names, update, update_content, update_in,
};
