//! `prompt-store health`: for containers that have no curl.
use shared::{health, start::Failure};

use super::say;
use crate::config::Edge;

pub(super) async fn run(edge: &Edge) -> Result<(), Failure> {
    health::probe(edge.host, edge.port).await?;
    say("ready");
    Ok(())
}
