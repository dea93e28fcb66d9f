//! The schedule of waits, from the `backoff` crate.
//!
//! Its own jitter is turned off: it cannot be seeded and passes its maximum. Nor has it a say in
//! when to stop. What is left of it is the exponential growth, so the schedule is worked out once,
//! when the policy is built, and the crate stays off the path of a call.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

use crate::config::BackoffConfig;

/// The wait before each retry, jitter not included.
#[derive(Debug)]
pub(super) struct Schedule(Box<[Duration]>);

impl Schedule {
    /// For at most `max_attempts` attempts, the first one included.
    pub(super) fn new(config: &BackoffConfig, max_attempts: u32) -> Self {
        let mut growth: ExponentialBackoff = ExponentialBackoffBuilder::new()
            .with_initial_interval(config.initial)
            .with_max_interval(config.max)
            .with_multiplier(config.multiplier)
            .with_randomization_factor(0.0)
            .with_max_elapsed_time(None)
            .build();
        let waits = std::iter::from_fn(|| growth.next_backoff());
        // Even without jitter the crate adds up to a nanosecond.
        let capped = waits.map(|wait| wait.min(config.max));
        Self(
            capped
                .take(max_attempts.saturating_sub(1) as usize)
                .collect(),
        )
    }

    /// The wait after the attempt `number`, counted from 1; `None` after the last.
    pub(super) fn after(&self, number: u32) -> Option<Duration> {
        let index = number.checked_sub(1)?;
        self.0.get(index as usize).copied()
    }
}
