//! `prompt-store migrate`: the tables, up to date.
use shared::{
    config::Settings,
    start::{self, Failure},
};

use super::say;

pub(super) async fn run(settings: Settings) -> Result<(), Failure> {
    let db = start::open_migrated(&settings).await?;
    say(&format!("The tables are up to date: {}", db.describe()));
    db.close().await;
    Ok(())
}
