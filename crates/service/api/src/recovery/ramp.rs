//! How many requests recovery may have in the works at once.
//!
//! It begins with one, and each success allows one more, so that it doubles with each round; a failure sets it back to one.
//! While the worker's breaker is not closed it is one: recovery takes at most one of the probes that decide.

/// The ramp, a pure count.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConcurrencyRamp {
    reached: u32,
    max: u32,
}

impl ConcurrencyRamp {
    /// From one to `max`.
    pub(super) fn new(max: u32) -> Self {
        Self { reached: 1, max }
    }

    /// How many at once, given whether the breaker is closed.
    pub(super) fn limit(&self, closed: bool) -> u32 {
        if closed { self.reached } else { 1 }
    }

    /// A request's work was done.
    pub(super) fn succeeded(&mut self) {
        self.reached = self.reached.saturating_add(1).min(self.max);
    }

    /// It was not.
    pub(super) fn failed(&mut self) {
        self.reached = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_with_each_round_of_successes_up_to_the_most() {
        let mut ramp = ConcurrencyRamp::new(10);
        let mut rounds = vec![];
        for _ in 0..5 {
            let limit = ramp.limit(true);
            rounds.push(limit);
            (0..limit).for_each(|_| ramp.succeeded());
        }
        assert_eq!(rounds, [1, 2, 4, 8, 10]);
    }

    #[test]
    fn a_failure_sets_it_back_to_one() {
        let mut ramp = ConcurrencyRamp::new(10);
        (0..5).for_each(|_| ramp.succeeded());
        ramp.failed();
        assert_eq!(ramp.limit(true), 1);
    }

    #[test]
    fn without_a_closed_breaker_there_is_one_at_a_time() {
        let mut ramp = ConcurrencyRamp::new(10);
        (0..5).for_each(|_| ramp.succeeded());
        assert_eq!(ramp.limit(false), 1);
        assert_eq!(ramp.limit(true), 6);
    }
}
