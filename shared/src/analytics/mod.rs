//! Analytics: what callers report of their calls, what it adds up to, and what that says.
mod figures;
mod intake;
mod model;
mod profile;
mod pulse;
mod purge;
mod reads;
mod reports;
mod repository;
mod roll_up;
mod rollups;
mod series;
mod sketch;
mod standings;
mod tally;
mod variables;
mod windows;

pub use figures::{Distribution, Figures, Score};
pub use intake::record;
pub use model::{EVENTS_MAX, Receipt, UsageEvent};
pub use profile::{Profile, Quantity, in_use, is_any, last_used, newest_in_use, profiles, variables};
pub use pulse::{EarlyWarning, early_warnings};
pub use purge::purge;
pub use reads::write_reads;
pub use reports::{
    CategoryUsage, DAYS_MAX, DailyUsage, NamedUsage, PromptAnalytics, PromptUsage, Summary, UsageHealth, UsageStatus,
    VersionUsage, of_prompt, summary,
};
pub use roll_up::{RollUpUsage, order_roll_up, roll_up};
pub use series::{Granularity, GroupBy, Point, Series, SeriesRequest, UsageSeries, series};
pub use variables::{VariableUse, count_values};
