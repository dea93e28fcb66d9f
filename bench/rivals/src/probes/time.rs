//! Whose clock a breaker follows. On tokio's, a user's tests can pause time instead of waiting.

use std::time::Duration;

use super::{Clock, Finding, Probe, ProbeError, Right, SETUP, Subject};
use crate::contenders::Setup;

/// A paused clock.
pub static PAUSED_CLOCK: Probe = Probe {
    question: "follows tokio's clock when it is paused",
    right: Right::Yes,
    needs: None,
    note: None,
    setup: Setup {
        // Longer than any real time the probe could take.
        open_for: Duration::from_secs(60),
        ..SETUP
    },
    clock: Clock::Paused,
    ask: |subject| Box::pin(paused_clock(subject)),
};

async fn paused_clock(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    Ok(Finding::from(subject.passes().await))
}
