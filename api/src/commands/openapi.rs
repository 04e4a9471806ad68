//! `prompt-store openapi`: the published contract, as this program keeps it.
use shared::start::Failure;

use super::print;

#[expect(clippy::unnecessary_wraps, reason = "all commands answer alike")]
pub(super) fn run() -> Result<(), Failure> {
    print(&crate::document());
    Ok(())
}
