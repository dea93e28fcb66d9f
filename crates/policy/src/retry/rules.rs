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

/// Decides on further attempts.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) budget: Budget,
    pub(crate) jitter: Jitter,
    schedule: Schedule,
    throttled: ThrottledConfig,
}

/// A finished attempt, as far as the decision goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tried {
    pub(crate) class: Class,
    /// How often it was tried; an attempt and its hedge are one round.
    pub(crate) round: u32,
    /// Of the attempt that may follow.
    pub(crate) number: u32,
    /// Whether repeating it is harmless.
    pub(crate) idempotent: bool,
    pub(crate) deadline: Deadline,
    /// What must remain of that for a further attempt.
    pub(crate) needed: Duration,
}

impl Rules {
    pub(crate) fn new(config: &RetryConfig, budget: Budget, jitter: Jitter) -> Self {
        Self {
            budget,
            jitter,
            schedule: Schedule::new(&config.backoff, config.max_attempts),
            throttled: config.throttled.clone(),
        }
    }

    /// When the next attempt is to start, or `None` if there is to be none. No wait is spent on an attempt that the breaker
    /// behind, `circuit`, will refuse. The budget comes last, so that no token is spent on an attempt that something else
    /// forbids.
    pub(crate) fn next_start(
        &self,
        tried: Tried,
        circuit: Option<&Circuit>,
        reporter: &Reporter,
        now: Instant,
    ) -> Option<Instant> {
        let start = now.checked_add(self.wait(tried)?)?;
        let is_refused = |circuit: &Circuit| circuit.refuses(start);
        // A whole attempt must end before the deadline.
        if !tried.deadline.fits(tried.needed, start) || circuit.is_some_and(is_refused) {
            return None;
        }
        let policy = reporter.policy();
        let granted = if tried.class.throttled {
            self.budget.withdraw_part_at(self.throttled.cost, now)
        } else {
            self.budget.withdraw_at(now)
        };
        if !granted {
            reporter.emit(&Event::BudgetExhausted { policy });
            return None;
        }
        let after = start.saturating_duration_since(now);
        reporter.emit(&Event::Retry {
            policy,
            number: tried.number,
            after,
        });
        Some(start)
    }

    /// The wait before the next attempt, if this one may be followed by any.
    fn wait(&self, tried: Tried) -> Option<Duration> {
        let allowed = match tried.class.retry {
            _ if tried.class.health == Health::Success => false,
            Retry::Never => false,
            Retry::IfIdempotent => tried.idempotent,
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
}
