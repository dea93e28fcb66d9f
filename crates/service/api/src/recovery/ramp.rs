//! How many requests recovery may have in the works at once.
//!
//! It begins with one, and each success allows one more, so that it doubles with each round; a failure sets it back to one.
//! From half of what it had reached when it failed it grows by one a round only: several replicas that double into the same
//! worker would overload it again each time (the slow start and congestion avoidance of TCP, RFC 5681).
//! While the worker's breaker is not closed it is one: recovery takes at most one of the probes that decide.

/// The ramp, a pure count.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConcurrencyRamp {
    reached: u32,
    /// From here on it grows by one a round.
    careful_from: u32,
    /// Successes of the present round, once it is careful.
    successes: u32,
    max: u32,
}

impl ConcurrencyRamp {
    /// From one to `max`.
    pub(super) fn new(max: u32) -> Self {
        Self {
            reached: 1,
            careful_from: max,
            successes: 0,
            max,
        }
    }

    /// How many at once, given whether the breaker is closed.
    pub(super) fn limit(&self, closed: bool) -> u32 {
        if closed { self.reached } else { 1 }
    }

    /// A request's work was done.
    pub(super) fn succeeded(&mut self) {
        self.successes += 1;
        if self.reached < self.careful_from || self.successes >= self.reached {
            self.successes = 0;
            self.reached = self.reached.saturating_add(1).min(self.max);
        }
    }

    /// It was not.
    pub(super) fn failed(&mut self) {
        if self.reached > 1 {
            self.careful_from = self.reached / 2;
        }
        self.reached = 1;
        self.successes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(ramp: &mut ConcurrencyRamp, count: usize) -> Vec<u32> {
        let round = |_| {
            let limit = ramp.limit(true);
            (0..limit).for_each(|_| ramp.succeeded());
            limit
        };
        (0..count).map(round).collect()
    }

    #[test]
    fn it_doubles_with_each_round_of_successes_up_to_the_most() {
        let mut ramp = ConcurrencyRamp::new(10);
        assert_eq!(rounds(&mut ramp, 5), [1, 2, 4, 8, 10]);
    }

    #[test]
    fn a_failure_sets_it_back_to_one_and_from_half_of_what_it_reached_it_is_careful() {
        let mut ramp = ConcurrencyRamp::new(64);
        assert_eq!(rounds(&mut ramp, 4), [1, 2, 4, 8]);
        // Many at once are one failure.
        (0..16).for_each(|_| ramp.failed());
        assert_eq!(rounds(&mut ramp, 7), [1, 2, 4, 8, 9, 10, 11]);
    }

    #[test]
    fn without_a_closed_breaker_there_is_one_at_a_time() {
        let mut ramp = ConcurrencyRamp::new(10);
        (0..5).for_each(|_| ramp.succeeded());
        assert_eq!(ramp.limit(false), 1);
        assert_eq!(ramp.limit(true), 6);
    }
}
