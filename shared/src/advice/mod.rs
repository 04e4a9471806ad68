//! Advice: what the use of a prompt says could be better about it.
mod rules;
mod service;
mod similar;

pub use rules::{Numbers, UsageFinding};
pub use service::of_use;
