//! What the limit learns from one attempt.

use tokio::time::Instant;

/// An attempt that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) admitted: Instant,
    pub(crate) ended: Instant,
    /// Attempts at once when it ended, itself included.
    pub(crate) in_flight: u32,
    pub(crate) signal: Signal,
}

impl Sample {
    /// How long it took.
    pub(super) fn seconds(self) -> f64 {
        self.ended
            .saturating_duration_since(self.admitted)
            .as_secs_f64()
    }
}

/// What it says about the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It succeeded: it took as long as it takes.
    Answered,
    /// It timed out, or was refused for want of capacity.
    Overloaded,
    /// Its caller gave it up: it would have taken at least so long.
    GivenUp,
    /// It failed by itself, or was refused by a policy.
    Nothing,
}
