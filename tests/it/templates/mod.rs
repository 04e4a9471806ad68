//! Templates beside the engines whose names their formats carry, and templates that an earlier program wrote.
mod corpora;
mod written_before;
