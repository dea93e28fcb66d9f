//! How long the breaker stays open: doubles with every opening that follows without health
//! between, jittered so that replicas do not probe in step, never above the cap.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::config::BreakerConfig;

/// Doubling beyond this passes any cap that is accepted: from a millisecond to a day.
const HIGHEST_LEVEL: u32 = 27;

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

    /// How often it opened stays: the next open time is drawn by `config`.
    pub(super) fn reconfigure(&mut self, config: &BreakerConfig) {
        self.first = config.open_for;
        self.cap = config.max_open_for;
    }

    /// The breaker opens: for how long? Not shorter than the dependency `asked` for, up to the cap.
    pub(super) fn next(&mut self, asked: Option<Duration>, now: Instant) -> Duration {
        let closed_for = self
            .closed_at
            .take()
            .map(|at| now.saturating_duration_since(at));
        // Health is to stay closed for as long as it was last open: a dependency that falls over
        // again within that time has not recovered.
        if closed_for.is_some_and(|healthy| healthy >= self.last) {
            self.level = 0;
        }
        let drawn = self.draw();
        self.last = drawn.max(asked.unwrap_or_default().min(self.cap));
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
        let highest = scheduled.saturating_add(scheduled / 5).min(self.cap);
        let lowest = scheduled.min(self.first.max(self.cap - self.cap / 6));
        lowest + highest.saturating_sub(lowest).mul_f64(self.rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;
    use crate::support::breaker_config;

    fn open_time(open_for: u64, max_open_for: u64, seed: u64) -> OpenTime {
        let open_for = Duration::from_secs(open_for);
        let max_open_for = Duration::from_secs(max_open_for);
        let config = BreakerConfig {
            open_for,
            max_open_for,
            ..breaker_config()
        };
        OpenTime::new(&config, seed)
    }

    fn seconds(range: RangeInclusive<u64>) -> RangeInclusive<Duration> {
        Duration::from_secs(*range.start())..=Duration::from_secs(*range.end())
    }

    #[test]
    fn it_doubles_with_jitter_up_to_the_cap() {
        for seed in 0..100 {
            let now = Instant::now();
            let mut time = open_time(5, 30, seed);
            assert!(seconds(5..=6).contains(&time.next(None, now)));
            assert!(seconds(10..=12).contains(&time.next(None, now)));
            assert!(seconds(20..=24).contains(&time.next(None, now)));
            for _ in 0..50 {
                assert!(seconds(25..=30).contains(&time.next(None, now)));
            }
        }
    }

    #[test]
    fn replicas_with_other_seeds_differ_even_at_the_cap() {
        let at_cap = |seed| {
            let mut time = open_time(5, 30, seed);
            (0..6).map(|_| time.next(None, Instant::now())).last()
        };
        assert_ne!(at_cap(1), at_cap(2));
        assert_eq!(at_cap(1), at_cap(1));
    }

    #[test]
    fn a_cap_equal_to_the_open_time_leaves_no_jitter() {
        assert_eq!(
            open_time(5, 5, 7).next(None, Instant::now()),
            Duration::from_secs(5)
        );
    }

    #[test]
    fn health_as_long_as_the_last_outage_resets_it() {
        let mut now = Instant::now();
        let mut time = open_time(5, 30, 1);
        time.next(None, now);
        let last = time.next(None, now);
        time.closed(now);
        now += last;
        assert!(seconds(5..=6).contains(&time.next(None, now)));
    }

    #[test]
    fn a_short_recovery_does_not_reset_it() {
        let mut now = Instant::now();
        let mut time = open_time(5, 30, 1);
        let last = time.next(None, now);
        time.closed(now);
        now += last - Duration::from_millis(1);
        assert!(seconds(10..=12).contains(&time.next(None, now)));
    }

    #[test]
    fn it_reaches_any_cap_that_is_accepted() {
        let config = BreakerConfig {
            open_for: Duration::from_millis(1),
            max_open_for: Duration::from_secs(24 * 60 * 60),
            ..breaker_config()
        };
        let mut time = OpenTime::new(&config, 1);
        let longest = (0..40).map(|_| time.next(None, Instant::now())).max();
        assert!(longest >= Some(Duration::from_secs(20 * 60 * 60)));
    }
}
