//! A file for each domain: decode, call one operation, respond.
pub(crate) mod bulk;
pub(crate) mod drift;
pub(crate) mod lifecycle;
pub(crate) mod prompts;
pub(crate) mod relationships;
pub(crate) mod search;
pub(crate) mod serving;
pub(crate) mod suggestions;
pub(crate) mod versions;
