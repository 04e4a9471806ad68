//! What usage adds up to by hour and by day: how it is kept.
mod repository;

pub(super) use repository::{
    PromptDay, Sums, changed_days, days_of_version, in_use, is_any, newest_in_use, parts, prompt_days, purge_hours,
    put, stamp, tallies, tally,
};

use super::{
    roll_up::Series,
    sketch::Sketch,
    tally::{Moments, Tally},
};
