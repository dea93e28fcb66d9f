//! How many requests recovery may have in the works at once.
//!
//! What was put off can wait, and live calls cannot: recovery takes what they leave of the worker. It begins with one and grows
//! by one with each round of successes. Where a round takes longer than is normal, calls wait inside the worker, and half of
//! it goes (a background transfer that gives way before others feel it: LEDBAT, RFC 6817). A failure sets it back to one.
//! While the worker's breaker is not closed it is one: recovery takes at most one of the probes that decide.

use std::time::Duration;

/// The ramp, a pure count.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConcurrencyRamp {
    reached: u32,
    max: u32,
    /// Successes of the present round, and the time they took together.
    successes: u32,
    took: Duration,
}

impl ConcurrencyRamp {
    /// From one to `max`.
    pub(super) fn new(max: u32) -> Self {
        Self {
            reached: 1,
            max,
            successes: 0,
            took: Duration::ZERO,
        }
    }

    /// How many at once, given whether the breaker is closed.
    pub(super) fn limit(&self, closed: bool) -> u32 {
        if closed { self.reached } else { 1 }
    }

    /// A request's work was done, which `took` so long; up to `normal`, if that is known, no call waited for another.
    pub(super) fn succeeded(&mut self, took: Duration, normal: Option<Duration>) {
        self.successes += 1;
        self.took = self.took.saturating_add(took);
        if self.successes < self.reached {
            return;
        }
        let average = self.took / self.successes;
        self.begin_round(match normal.is_some_and(|normal| average > normal) {
            true => self.reached / 2,
            false => self.reached.saturating_add(1),
        });
    }

    /// It was not.
    pub(super) fn failed(&mut self) {
        self.begin_round(1);
    }

    fn begin_round(&mut self, reached: u32) {
        *self = Self {
            reached: reached.clamp(1, self.max),
            ..Self::new(self.max)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Duration = Duration::from_millis(215);

    fn rounds(ramp: &mut ConcurrencyRamp, count: usize, takes: &[u64]) -> Vec<u32> {
        let round = |_| {
            let limit = ramp.limit(true);
            for millis in takes.iter().cycle().take(limit as usize) {
                ramp.succeeded(Duration::from_millis(*millis), Some(NORMAL));
            }
            limit
        };
        (0..count).map(round).collect()
    }

    #[test]
    fn it_grows_by_one_with_each_round_of_successes_up_to_the_most() {
        let mut ramp = ConcurrencyRamp::new(4);
        assert_eq!(rounds(&mut ramp, 6, &[200]), [1, 2, 3, 4, 4, 4]);
    }

    #[test]
    fn where_calls_wait_inside_the_worker_it_gives_way_down_to_one_and_grows_again() {
        let mut ramp = ConcurrencyRamp::new(64);
        rounds(&mut ramp, 15, &[200]);
        assert_eq!(rounds(&mut ramp, 6, &[210, 230]), [16, 8, 4, 2, 1, 2]);
        assert_eq!(rounds(&mut ramp, 3, &[200]), [1, 2, 3]);
    }

    #[test]
    fn a_worker_that_takes_now_longer_and_now_shorter_is_not_taken_for_a_crowded_one() {
        let (mut ramp, mut rng) = (ConcurrencyRamp::new(64), fastrand::Rng::with_seed(1));
        for _ in 0..20_000 {
            let took = Duration::from_millis(rng.u64(130..270));
            ramp.succeeded(took, Some(NORMAL));
        }
        assert!(ramp.limit(true) > 48, "{ramp:?}");
    }

    #[test]
    fn where_nobody_knows_what_is_normal_only_failures_hold_it_back() {
        let mut ramp = ConcurrencyRamp::new(64);
        for _ in 0..6 {
            ramp.succeeded(Duration::from_secs(9), None);
        }
        assert_eq!(ramp.limit(true), 4);
        ramp.failed();
        assert_eq!(rounds(&mut ramp, 3, &[200]), [1, 2, 3]);
    }

    #[test]
    fn without_a_closed_breaker_there_is_one_at_a_time() {
        let mut ramp = ConcurrencyRamp::new(10);
        rounds(&mut ramp, 5, &[200]);
        assert_eq!(ramp.limit(false), 1);
        assert_eq!(ramp.limit(true), 6);
    }
}
