//! Webhooks: who is told of events, signed after the rules of Standard Webhooks, and what became of it.
mod counts;
mod deliveries;
mod jobs;
mod model;
mod repository;
mod schedule;
mod sending;
mod service;
mod signature;
mod telling;

pub use counts::count_from_zero;
pub use deliveries::{deliveries, delivery, replay, replay_range, test};
pub use jobs::DeliverWebhooks;
pub use model::{
    Attempt, Delivery, DeliveryFilter, DeliveryLog, DeliveryState, NewWebhook, Payload, Range, Replayed, Stats,
    Webhook, WebhookPatch, WebhookStats,
};
pub use sending::{deliver, gave_up, revive};
pub use service::{backlog, bring_forward, create, delete, get, list, purge, rotate_secret, stats, update};
pub use telling::publish;
