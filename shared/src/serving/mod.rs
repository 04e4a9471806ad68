//! The hot read: "give me my prompt, filled".
mod fill;
mod kept;
mod model;
mod service;
mod warm_up;

pub use fill::render;
pub use kept::Kept;
pub use model::{BATCH_MAX, BatchItem, Deprecation, Reader, RenderRequest, Rendered, Served, ServedAs, Variables};
pub use service::{Reading, batch, get, read};
pub use warm_up::{WARM_UP_MAX, WarmCacheUp, WarmUp, WarmUpOrder, order_warm_up, warm_up};
