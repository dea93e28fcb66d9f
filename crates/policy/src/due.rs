//! When an answer is due: a value that every layer reads.

use std::time::Duration;

use tokio::time::Instant;

/// Stands in for a deadline beyond what the clock can express.
const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The instant by which an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Deadline(Instant);

impl Deadline {
    /// At `instant`.
    #[inline]
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// `from_now` later than now.
    pub fn after(from_now: Duration) -> Self {
        Self(Instant::now()).plus(from_now)
    }

    /// What remains at `now`; zero when it has passed.
    #[inline]
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The earlier of two.
    #[inline]
    pub fn earlier(self, other: Self) -> Self {
        self.min(other)
    }

    /// Earlier by `reserve`, which is kept for what must still happen after the call.
    pub fn less(self, reserve: Duration) -> Self {
        // Before the clock's first instant there is none to name; one that has passed will do.
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// The instant itself.
    #[inline]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Beyond what any call lives to see.
    pub(crate) fn never(now: Instant) -> Self {
        Self(now + FAR_FUTURE)
    }

    /// Whether `span`, begun at `now`, ends in time.
    #[inline]
    pub(crate) fn fits(self, span: Duration, now: Instant) -> bool {
        self.remaining(now) >= span
    }

    #[inline]
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.checked_add(span).unwrap_or(self.0 + FAR_FUTURE))
    }
}
