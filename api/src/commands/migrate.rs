//! `prompt-store migrate`: the tables, up to date.
use shared::{config::Settings, start::Failure};

use super::say;

pub(super) async fn run(settings: Settings) -> Result<(), Failure> {
    let app = super::open(settings).await?;
    say(&format!("The tables are up to date: {}", app.db.describe()));
    app.db.close().await;
    Ok(())
}
