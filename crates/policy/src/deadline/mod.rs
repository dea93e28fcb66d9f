//! The deadline: the outermost policy, and the only one a caller sees from outside.
//!
//! An attempt starts only if a whole attempt timeout remains: a caller's short deadline would cut
//! it and learn nothing. So inside the full stack the timer here never fires; it is there for
//! whoever stacks the layers in another way.

mod future;
mod service;

use std::time::Duration;

use tokio::time::Instant;

pub use self::future::DeadlineFuture;
pub use self::service::{DeadlineLayer, DeadlineService};

/// Stands in for a deadline beyond what the clock can express.
const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The instant by which an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Deadline(Instant);

impl Deadline {
    /// At `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// `from_now` later than now.
    pub fn after(from_now: Duration) -> Self {
        Self(Instant::now()).plus(from_now)
    }

    /// What remains at `now`; zero when it has passed.
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The earlier of two.
    pub fn earlier(self, other: Self) -> Self {
        self.min(other)
    }

    /// Earlier by `reserve`, which is kept for what must still happen after the call.
    pub fn less(self, reserve: Duration) -> Self {
        // Before the clock's first instant there is none to name; one that has passed will do.
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// The instant itself.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Whether `span`, begun at `now`, ends in time.
    pub(crate) fn fits(self, span: Duration, now: Instant) -> bool {
        self.remaining(now) >= span
    }

    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.checked_add(span).unwrap_or(self.0 + FAR_FUTURE))
    }
}
