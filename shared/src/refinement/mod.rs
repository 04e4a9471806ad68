//! Refinement: a model improves a prompt, a person decides. Nothing changes a prompt before somebody applies a result.
mod answer;
mod apply;
mod calls;
mod compare;
mod counts;
mod delivery;
mod documents;
mod indexing;
mod instruction;
mod model;
mod report;
mod repository;
mod service;
mod work;

pub use apply::{Applied, ApplyRequest, apply};
pub use compare::{Comparison, SessionComparison, Side, compare, compare_sessions};
pub use counts::count_from_zero;
pub use delivery::{StoreDocument, deliver};
pub use documents::{Document, DocumentHit, DocumentSearch, document, documents, search_documents};
pub use indexing::{IndexDocuments, index_missing, order_index};
pub use model::{
    Call, CallState, DocumentReference, NewRefinement, Refined, Refinement, RefinementError, RefinementStatus,
};
pub use service::{RefinementFilter, get, list, start};
pub use work::{RefinePrompt, gave_up, refine, revive};
