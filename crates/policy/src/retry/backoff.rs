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

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(multiplier: f64, max_attempts: u32) -> Vec<u128> {
        let config = BackoffConfig {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(1),
            multiplier,
        };
        let schedule = Schedule::new(&config, max_attempts);
        (1..)
            .map_while(|number| schedule.after(number))
            .map(|wait| wait.as_millis())
            .collect()
    }

    #[test]
    fn waits_grow_by_the_multiplier_up_to_the_maximum() {
        assert_eq!(schedule(2.0, 7), [100, 200, 400, 800, 1_000, 1_000]);
    }

    #[test]
    fn a_multiplier_of_one_keeps_the_wait() {
        assert_eq!(schedule(1.0, 4), [100, 100, 100]);
    }

    #[test]
    fn one_attempt_is_followed_by_no_wait() {
        assert!(schedule(2.0, 1).is_empty());
    }
}
