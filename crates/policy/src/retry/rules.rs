//! Whether a finished attempt is followed by another, and after what wait.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Schedule;
use super::budget::Budget;
use super::jitter::Jitter;
use crate::breaker::Circuit;
use crate::class::{Class, Health, Retry};
use crate::config::{RetryConfig, ThrottledConfig};
use crate::deadline::Deadline;
use crate::event::Event;
use crate::reporter::Reporter;

/// What retry must know beside its own configuration.
#[derive(Clone, Debug)]
pub struct RetrySettings {
    /// Whether repeating a call is harmless, unless the call says otherwise.
    pub idempotent: bool,
    /// What must remain of the deadline for a further attempt: the attempt timeout.
    pub attempt_timeout: Duration,
    /// Of the jitter on the waits.
    pub seed: u64,
    /// The breaker behind: no wait is spent on an attempt that it will refuse.
    pub circuit: Option<Circuit>,
}

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) reporter: Reporter,
    pub(super) budget: Budget,
    settings: RetrySettings,
    schedule: Schedule,
    jitter: Jitter,
    throttled: ThrottledConfig,
}

/// A finished attempt, as far as the decision goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub(super) class: Class,
    pub(super) round: u32,
    /// Of the attempt that may follow.
    pub(super) number: u32,
    pub(super) idempotent: Option<bool>,
    pub(super) deadline: Option<Deadline>,
}

impl Rules {
    pub(super) fn new(
        config: &RetryConfig,
        settings: RetrySettings,
        budget: Budget,
        reporter: Reporter,
    ) -> Self {
        let schedule = Schedule::new(&config.backoff, config.max_attempts);
        let jitter = Jitter::new(settings.seed);
        Self {
            reporter,
            budget,
            settings,
            schedule,
            jitter,
            throttled: config.throttled.clone(),
        }
    }

    /// When the next attempt is to start, or `None` if there is to be none. The budget comes last,
    /// so that no token is spent on an attempt that something else forbids.
    pub(super) fn next_start(&self, tried: Tried, now: Instant) -> Option<Instant> {
        let start = now.checked_add(self.wait(tried)?)?;
        if !self.fits(tried.deadline, start) || self.is_refused(start) {
            return None;
        }
        let policy = self.reporter.policy();
        let granted = if tried.class.throttled {
            self.budget.withdraw_part(self.throttled.cost, now)
        } else {
            self.budget.withdraw(now)
        };
        if !granted {
            self.reporter.emit(&Event::BudgetExhausted { policy });
            return None;
        }
        let after = start.saturating_duration_since(now);
        self.reporter.emit(&Event::Retry {
            policy,
            number: tried.number,
            after,
        });
        Some(start)
    }

    /// Whether a whole attempt that starts at `start` ends before the deadline.
    #[inline]
    pub(super) fn fits(&self, deadline: Option<Deadline>, start: Instant) -> bool {
        deadline.is_none_or(|deadline| deadline.fits(self.settings.attempt_timeout, start))
    }

    /// The wait before the next attempt, if this one may be followed by any.
    fn wait(&self, tried: Tried) -> Option<Duration> {
        let allowed = match tried.class.retry {
            _ if tried.class.health == Health::Success => false,
            Retry::Never => false,
            Retry::IfIdempotent => tried.idempotent.unwrap_or(self.settings.idempotent),
            Retry::Always => true,
        };
        let scheduled = self.schedule.after(tried.round).filter(|_| allowed)?;
        let scheduled = if tried.class.throttled {
            scheduled.mul_f64(self.throttled.slowdown)
        } else {
            scheduled
        };
        let spread = self.jitter.spread(scheduled);
        // The drawn half comes on top of what the dependency asked for, or all whom it told the same
        // would come back together.
        let drawn = spread.saturating_sub(scheduled / 2);
        let asked = tried.class.retry_after;
        Some(asked.map_or(spread, |asked| spread.max(asked.saturating_add(drawn))))
    }

    fn is_refused(&self, start: Instant) -> bool {
        self.settings
            .circuit
            .as_ref()
            .is_some_and(|circuit| circuit.refuses(start))
    }
}
