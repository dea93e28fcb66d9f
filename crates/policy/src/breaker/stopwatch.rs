//! How long an attempt was at the dependency, measured only if somebody needs to know.

use std::time::Duration;

use tokio::time::Instant;

use crate::now::Now;

/// Runs from the attempt's admission to its end, which is read from the clock at the first question.
#[derive(Debug)]
pub(crate) struct Stopwatch<'a> {
    since: Instant,
    now: &'a Now,
}

impl<'a> Stopwatch<'a> {
    #[inline]
    pub(crate) fn new(since: Instant, now: &'a Now) -> Self {
        Self { since, now }
    }

    #[inline]
    pub(super) fn elapsed(&self) -> Duration {
        self.now.instant().saturating_duration_since(self.since)
    }

    /// Whether it has run for `limit`. A comparison costs half of what the time between two readings does.
    #[inline]
    pub(super) fn has_run(&self, limit: Duration) -> bool {
        let due = self.since.checked_add(limit);
        due.is_some_and(|due| self.now.instant() >= due)
    }

    #[inline]
    pub(super) fn now(&self) -> &Now {
        self.now
    }
}
