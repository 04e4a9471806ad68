//! Keys of the API: who may ask, and for what.
mod model;
mod presented;
mod repository;
mod secret;
mod service;

pub use model::{Key, MadeKey, NewKey, Rotation};
pub use presented::{authenticate, grant_of, note_uses};
pub use secret::KeyText;
pub use service::{adopt_secret, any_administrator, create, get, list, revoke, rotate};
