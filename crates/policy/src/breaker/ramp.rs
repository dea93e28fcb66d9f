//! The ramp: after closing, the number of attempts in flight grows from one to the full limit, which may move meanwhile.
//!
//! Only attempts admitted since the closing count, so stragglers of the outage do not keep a lone
//! caller out.

use std::time::Duration;

use tokio::time::Instant;

use crate::now::Now;

#[derive(Debug)]
pub(super) struct Ramp {
    over: Duration,
    started: Option<Instant>,
    in_flight: u32,
}

impl Ramp {
    /// Grows `over` that time.
    pub(super) fn new(over: Duration) -> Self {
        Self {
            over,
            started: None,
            in_flight: 0,
        }
    }

    /// Goes on as if it had been so from its start.
    pub(super) fn reconfigure(&mut self, over: Duration) {
        self.over = over;
    }

    /// The breaker closed; nobody it admitted before counts.
    pub(super) fn start(&mut self, now: Instant) {
        self.started = Some(now);
        self.in_flight = 0;
    }

    /// Closed without an outage before it: no ramp.
    pub(super) fn skip(&mut self) {
        self.started = None;
        self.in_flight = 0;
    }

    /// Whether it limits nothing any more, as far as anybody has looked.
    pub(super) fn is_over(&self) -> bool {
        self.started.is_none()
    }

    /// One more attempt, of `full` once the ramp is over, or how long until then.
    pub(super) fn admit(&mut self, now: &Now, full: u32) -> Result<(), Duration> {
        match self.left(now) {
            Some(left) if self.in_flight >= self.allowed(left, full) => Err(left),
            _ => {
                self.in_flight = self.in_flight.saturating_add(1);
                Ok(())
            }
        }
    }

    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// How many of `full` may be in flight.
    pub(super) fn limit(&mut self, now: &Now, full: u32) -> u32 {
        self.left(now).map_or(full, |left| self.allowed(left, full))
    }

    /// What remains of the ramp; forgets it when it is over.
    fn left(&mut self, now: &Now) -> Option<Duration> {
        let started = self.started?;
        let elapsed = now.instant().saturating_duration_since(started);
        let left = self
            .over
            .checked_sub(elapsed)
            .filter(|left| !left.is_zero());
        if left.is_none() {
            self.started = None;
        }
        left
    }

    fn allowed(&self, left: Duration, full: u32) -> u32 {
        let grown = self.over.saturating_sub(left).as_nanos() * u128::from(full)
            / self.over.as_nanos().max(1);
        u32::try_from(grown).unwrap_or(full).clamp(1, full.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVER: Duration = Duration::from_secs(2);
    const FULL: u32 = 100;

    fn started(now: Instant) -> Ramp {
        let mut ramp = Ramp::new(OVER);
        ramp.start(now);
        ramp
    }

    #[test]
    fn it_lets_concurrency_grow_from_one_to_the_full_limit() {
        let now = Instant::now();
        let mut ramp = started(now);
        let limits = [0, 500, 1_000, 1_990, 2_000, 9_000]
            .map(|millis| ramp.limit(&Now::from(now + Duration::from_millis(millis)), FULL));
        assert_eq!(limits, [1, 25, 50, 99, 100, 100]);
    }

    #[test]
    fn it_follows_a_limit_that_moves_meanwhile() {
        let now = Instant::now();
        let mut ramp = started(now);
        let half = Now::from(now + OVER / 2);
        assert_eq!([40, 4, 80].map(|full| ramp.limit(&half, full)), [20, 2, 40]);
    }

    #[test]
    fn a_lone_caller_is_never_refused() {
        let now = Instant::now();
        let mut ramp = started(now);
        for _ in 0..1_000 {
            assert_eq!(ramp.admit(&Now::from(now), FULL), Ok(()));
            ramp.leave();
        }
    }

    #[test]
    fn who_comes_on_top_of_the_limit_is_told_when_the_ramp_ends() {
        let now = Instant::now();
        let mut ramp = started(now);
        assert_eq!(ramp.admit(&Now::from(now), FULL), Ok(()));
        assert_eq!(
            ramp.admit(&Now::from(now + OVER / 200), FULL),
            Err(OVER - OVER / 200)
        );
        assert_eq!(ramp.admit(&Now::from(now + OVER / 50), FULL), Ok(()));
    }

    #[test]
    fn without_an_outage_before_it_there_is_no_ramp() {
        let now = Instant::now();
        let mut ramp = Ramp::new(OVER);
        assert!(
            (0..10).all(|_| ramp.admit(&Now::from(now), 2).is_ok()),
            "the bulkhead is what limits here"
        );
    }
}
