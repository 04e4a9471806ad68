//! `prompt-store openapi`: the published contract, as this program keeps it.
use clap::Args;
use shared::start::Failure;

use super::output::Destination;

#[derive(Args)]
pub(super) struct OpenApi {
    #[command(flatten)]
    destination: Destination,
}

impl OpenApi {
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.destination.write(&crate::document())
    }
}
