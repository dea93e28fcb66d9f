//! How long the breaker stays open: doubles with every opening that follows without health
//! between, jittered so that replicas do not probe in step, never above the cap.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::config::BreakerConfig;

/// Doubling beyond this passes any cap.
const HIGHEST_LEVEL: u32 = 20;

#[derive(Debug)]
pub(super) struct OpenTime {
    first: Duration,
    cap: Duration,
    rng: Rng,
    // How often it opened since the dependency was last healthy.
    level: u32,
    last: Duration,
    closed_at: Option<Instant>,
}

impl OpenTime {
    pub(super) fn new(config: &BreakerConfig, seed: u64) -> Self {
        Self {
            first: config.open_for,
            cap: config.max_open_for,
            rng: Rng::with_seed(seed),
            level: 0,
            last: Duration::ZERO,
            closed_at: None,
        }
    }

    /// The breaker opens: for how long?
    pub(super) fn next(&mut self, now: Instant) -> Duration {
        let closed_for = self
            .closed_at
            .take()
            .map(|at| now.saturating_duration_since(at));
        // Health is to stay closed for as long as it was last open: a dependency that falls over
        // again within that time has not recovered.
        if closed_for.is_some_and(|healthy| healthy >= self.last) {
            self.level = 0;
        }
        self.last = self.draw();
        self.level = (self.level + 1).min(HIGHEST_LEVEL);
        self.last
    }

    /// The breaker closed.
    pub(super) fn closed(&mut self, now: Instant) {
        self.closed_at = Some(now);
    }

    /// An operator reset it.
    pub(super) fn reset(&mut self) {
        self.level = 0;
        self.closed_at = None;
    }

    /// Up to a fifth above the scheduled time. Near the cap the room for jitter is taken below it,
    /// or all replicas would end up at the cap and in step.
    fn draw(&mut self) -> Duration {
        let scheduled = self
            .first
            .checked_mul(1 << self.level)
            .unwrap_or(self.cap)
            .min(self.cap);
        let highest = (scheduled + scheduled / 5).min(self.cap);
        let lowest = scheduled.min(self.first.max(self.cap - self.cap / 6));
        lowest + highest.saturating_sub(lowest).mul_f64(self.rng.f64())
    }
}
