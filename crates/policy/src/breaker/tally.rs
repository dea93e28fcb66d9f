//! Whether a closed breaker has seen enough to open.

use std::time::Duration;

use tokio::time::Instant;

use super::window::{Counts, Record, Window};
use crate::config::{self, BreakerConfig};
use crate::deadline::Deadline;
use crate::now::Now;
use crate::snapshot::OpeningRule;

#[derive(Debug)]
pub(super) struct Tally {
    window: Window,
    over: config::Window,
    // Failures since the last success.
    streak: u32,
    // No rule is met unless one that it looks at was counted, so neither is older than what the window holds.
    last_failure: Bad,
    last_slow: Bad,
    minimum_calls: u32,
    failure_rate: f64,
    slow_call_rate: Option<f64>,
    consecutive_failures: u32,
}

/// What was said by an attempt that was counted as failed or slow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bad {
    /// What it failed by.
    pub(super) cause: &'static str,
    // Until when the dependency asked to be left alone.
    asked: Option<Instant>,
}

impl Bad {
    /// The clock is read only for one that asked for time.
    pub(super) fn new(cause: &'static str, retry_after: Option<Duration>, now: &Now) -> Self {
        let until = |wait| Deadline::at(now.instant()).plus(wait).instant();
        Self {
            cause,
            asked: retry_after.map(until),
        }
    }

    /// What is left at `now` of the time that it asked for.
    pub(super) fn retry_after(self, now: Instant) -> Option<Duration> {
        self.asked
            .and_then(|until| until.checked_duration_since(now))
    }
}

impl Tally {
    pub(super) fn new(config: &BreakerConfig, now: Instant) -> Self {
        Self {
            window: Window::new(config.window, now),
            over: config.window,
            streak: 0,
            last_failure: Bad::default(),
            last_slow: Bad::default(),
            minimum_calls: config.minimum_calls,
            failure_rate: config.failure_rate,
            slow_call_rate: config.slow_call_rate,
            consecutive_failures: config.consecutive_failures,
        }
    }

    /// Goes by `config` from now on. What was counted stays, unless it is to be counted over another window.
    pub(super) fn reconfigure(&mut self, config: &BreakerConfig, now: Instant) {
        let before = std::mem::replace(self, Self::new(config, now));
        if before.over == self.over {
            self.window = before.window;
        }
        self.streak = before.streak;
        self.last_failure = before.last_failure;
        self.last_slow = before.last_slow;
    }

    /// Counts one attempt; names the rule by which the breaker must open, if any. A failure in a row
    /// counts whatever the window holds: at low traffic the window may never reach its minimum.
    pub(super) fn trips(&mut self, record: Record, now: &Now) -> Option<OpeningRule> {
        self.window.record(record, now);
        self.streak = if record.failed {
            self.streak.saturating_add(1)
        } else {
            0
        };
        if self.streak >= self.consecutive_failures {
            return Some(OpeningRule::ConsecutiveFailures);
        }
        self.exceeded(self.window.latest())
    }

    /// Remembers what an attempt said that is about to be counted.
    pub(super) fn note(&mut self, record: Record, said: Bad) {
        if record.failed {
            self.last_failure = said;
        }
        if record.slow {
            self.last_slow = said;
        }
    }

    /// The last attempt of those that `rule` looks at.
    pub(super) fn last(&self, rule: OpeningRule) -> Bad {
        match rule {
            OpeningRule::SlowCallRate => self.last_slow,
            _ => self.last_failure,
        }
    }

    fn exceeded(&self, counts: Counts) -> Option<OpeningRule> {
        // Asked first: while all is well there is nothing to divide.
        if counts.failures == 0 && counts.slow == 0 {
            return None;
        }
        if counts.calls < u64::from(self.minimum_calls) {
            return None;
        }
        let slow = |limit| counts.slow_call_rate() >= Some(limit);
        if counts.failure_rate() >= Some(self.failure_rate) {
            Some(OpeningRule::FailureRate)
        } else {
            let exceeds = self.slow_call_rate.is_some_and(slow);
            exceeds.then_some(OpeningRule::SlowCallRate)
        }
    }

    /// The figures at the last record.
    pub(super) fn figures(&self) -> (Counts, u32) {
        (self.window.latest(), self.streak)
    }

    /// Whether one more success would change nothing.
    pub(super) fn is_steady(&self) -> bool {
        self.streak == 0 && self.window.is_full_of_successes()
    }

    pub(super) fn counts(&mut self, now: &Now) -> Counts {
        self.window.counts(now)
    }

    /// Forgets everything: what happened before an outage must not trip the breaker after it.
    pub(super) fn clear(&mut self) {
        self.window.clear();
        self.streak = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::breaker_config;

    const GOOD: Record = Record {
        failed: false,
        slow: false,
    };
    const BAD: Record = Record {
        failed: true,
        slow: false,
    };
    const SLOW: Record = Record {
        failed: false,
        slow: true,
    };

    fn tally(window: config::Window, consecutive_failures: u32) -> Tally {
        let config = BreakerConfig {
            window,
            consecutive_failures,
            ..breaker_config()
        };
        Tally::new(&config, Instant::now())
    }

    /// Which of the records trips it, counted from 1.
    fn trips_at(tally: &mut Tally, records: &[Record]) -> Option<usize> {
        let now = Now::from(Instant::now());
        records
            .iter()
            .position(|record| tally.trips(*record, &now).is_some())
            .map(|index| index + 1)
    }

    #[test]
    fn one_more_success_changes_nothing_only_while_the_window_is_full_of_them() {
        let mut tally = tally(config::Window::Calls(3), 100);
        trips_at(&mut tally, &[GOOD, GOOD]);
        assert!(!tally.is_steady());
        trips_at(&mut tally, &[GOOD]);
        assert!(tally.is_steady());
        trips_at(&mut tally, &[BAD]);
        assert!(!tally.is_steady());
        trips_at(&mut tally, &[GOOD, GOOD]);
        assert!(!tally.is_steady());
        trips_at(&mut tally, &[GOOD]);
        assert!(tally.is_steady());
    }

    #[test]
    fn the_failure_rate_waits_for_the_minimum_of_calls() {
        let mut tally = tally(config::Window::Calls(10), 100);
        assert_eq!(
            trips_at(&mut tally, &[BAD, BAD, BAD, BAD, GOOD, GOOD]),
            Some(5)
        );
    }

    #[test]
    fn the_failure_rate_trips_at_its_threshold_and_not_below() {
        let mut tally = tally(config::Window::Calls(10), 100);
        let below = [BAD, BAD, BAD, BAD, GOOD, GOOD, GOOD, GOOD, GOOD];
        let reordered: Vec<_> = below.iter().rev().copied().collect();
        assert_eq!(trips_at(&mut tally, &reordered), None);
        assert_eq!(trips_at(&mut tally, &[BAD]), Some(1));
    }

    #[test]
    fn slow_successes_trip_it_at_their_own_rate() {
        let mut tally = tally(config::Window::Calls(10), 100);
        assert_eq!(
            trips_at(&mut tally, &[GOOD, SLOW, SLOW, SLOW, SLOW]),
            Some(5)
        );
    }

    #[test]
    fn it_names_the_rule_that_is_met_first() {
        let now = Now::from(Instant::now());
        let last = |records: &[Record], in_a_row| {
            let mut tally = tally(config::Window::Calls(10), in_a_row);
            let rules = records.iter().map(|record| tally.trips(*record, &now));
            rules.last().flatten()
        };
        let rule = last(&[BAD, BAD, BAD], 3);
        assert_eq!(rule, Some(OpeningRule::ConsecutiveFailures));
        let rule = last(&[GOOD, BAD, GOOD, BAD, BAD], 100);
        assert_eq!(rule, Some(OpeningRule::FailureRate));
        let rule = last(&[SLOW, SLOW, SLOW, SLOW, SLOW], 100);
        assert_eq!(rule, Some(OpeningRule::SlowCallRate));
    }

    #[test]
    fn failures_in_a_row_trip_it_below_the_minimum_of_calls() {
        let mut tally = tally(config::Window::Calls(10), 3);
        assert_eq!(
            trips_at(&mut tally, &[BAD, BAD, GOOD, BAD, BAD, BAD]),
            Some(5)
        );
    }

    #[test]
    fn a_long_healthy_past_does_not_hide_failures_of_today() {
        let mut tally = tally(config::Window::Calls(5), 100);
        assert_eq!(trips_at(&mut tally, &vec![GOOD; 20_000]), None);
        assert_eq!(trips_at(&mut tally, &[BAD, BAD, BAD]), Some(3));
    }
}
