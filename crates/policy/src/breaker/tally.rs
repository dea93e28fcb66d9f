//! Whether a closed breaker has seen enough to open.

use tokio::time::Instant;

use super::window::{Counts, Record, Window};
use crate::config::BreakerConfig;

#[derive(Debug)]
pub(super) struct Tally {
    window: Window,
    // Failures since the last success.
    streak: u32,
    minimum_calls: u32,
    failure_rate: f64,
    slow_call_rate: f64,
    consecutive_failures: u32,
}

impl Tally {
    pub(super) fn new(config: &BreakerConfig, now: Instant) -> Self {
        Self {
            window: Window::new(config.window, now),
            streak: 0,
            minimum_calls: config.minimum_calls,
            failure_rate: config.failure_rate,
            slow_call_rate: config.slow_call_rate,
            consecutive_failures: config.consecutive_failures,
        }
    }

    /// Counts one attempt; says whether the breaker must open. A failure in a row counts whatever
    /// the window holds: at low traffic the window may never reach its minimum.
    pub(super) fn trips(&mut self, record: Record, now: Instant) -> bool {
        self.window.record(record, now);
        self.streak = if record.failed {
            self.streak.saturating_add(1)
        } else {
            0
        };
        if self.streak >= self.consecutive_failures {
            return true;
        }
        let counts = self.window.counts(now);
        counts.calls >= u64::from(self.minimum_calls)
            && (counts.failure_rate() >= Some(self.failure_rate)
                || counts.slow_call_rate() >= Some(self.slow_call_rate))
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.window.counts(now)
    }

    /// Forgets everything: what happened before an outage must not trip the breaker after it.
    pub(super) fn clear(&mut self) {
        self.window.clear();
        self.streak = 0;
    }
}
