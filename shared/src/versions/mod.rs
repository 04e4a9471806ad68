//! Versions of prompts, which never change, and the labels that point at them.
mod as_was;
mod body;
mod calls;
mod damage;
mod diff;
mod hash;
mod labels;
mod model;
mod repository;

pub use as_was::{append_as_was, move_labels_as_was};
pub use body::{BODY_BYTES_MAX, Body, BodyDraft, BodyRow, CONTENT_BYTES_MAX, Message, PromptType, Role};
pub use calls::{CallChange, CallChangeReason, broken_calls};
pub use damage::damaged;
pub use diff::{Changes, ConfigChange, Diff, WordChange, WordChangeKind, changes, compare, readable};
pub use labels::{
    LATEST, Label, LabelMove, delete_label, is_set, label_history, labels, move_lengths, set_label, was_behind,
};
pub use model::{ChangeType, NewVersion, Version};
pub use repository::{
    SETTINGS_BYTES, TEXTS_BYTES, after, append, append_many, find, lengths, list, moves_after, newest_sound,
};
