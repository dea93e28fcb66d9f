//! How an attempt ended, and what of it the breaker counts.

use super::window::Record;
use crate::class::{AttemptVerdict, Health};
use crate::event::Outcome;

/// What became of an attempt whose result is known; `None` if it never reached the dependency.
#[inline]
pub(super) fn outcome(verdict: &AttemptVerdict, slow: bool) -> Option<Outcome> {
    let outcome = match verdict {
        AttemptVerdict::Finished(class) => match class.health {
            Health::Success if slow => Outcome::Slow,
            Health::Success => Outcome::Success,
            Health::Neutral => Outcome::Neutral,
            Health::Failure => Outcome::Failure,
        },
        AttemptVerdict::TimedOut => Outcome::TimedOut,
        AttemptVerdict::Cut => Outcome::Cancelled,
        AttemptVerdict::Rejected => return None,
    };
    Some(outcome)
}

/// What the breaker counts; `None`: nothing. A caller that hangs up early says nothing about the dependency;
/// who gave up after it was slow says that it is.
#[inline]
pub(super) fn record(outcome: Outcome, slow: bool) -> Option<Record> {
    let failed = match outcome {
        Outcome::Success | Outcome::Slow => false,
        Outcome::Failure | Outcome::TimedOut | Outcome::Panicked => true,
        Outcome::Cancelled if slow => true,
        Outcome::Cancelled | Outcome::Neutral => return None,
    };
    Some(Record { failed, slow })
}

/// What an attempt failed by, in one word; the classifier's, if it has one.
#[inline]
pub(super) fn cause(outcome: Outcome, verdict: &AttemptVerdict) -> &'static str {
    let named = match verdict {
        AttemptVerdict::Finished(class) => class.cause,
        AttemptVerdict::TimedOut | AttemptVerdict::Cut | AttemptVerdict::Rejected => None,
    };
    named.unwrap_or(match outcome {
        Outcome::TimedOut => "attempt_timeout",
        Outcome::Cancelled => "cancelled_slow",
        Outcome::Panicked => "panicked",
        Outcome::Slow => "slow",
        Outcome::Success | Outcome::Neutral | Outcome::Failure => "failed",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;

    #[test]
    fn a_rejection_is_no_outcome() {
        assert_eq!(outcome(&AttemptVerdict::Rejected, false), None);
    }

    #[test]
    fn an_early_cancel_is_not_counted_and_a_late_one_is_a_slow_failure() {
        let slow_failure = Record {
            failed: true,
            slow: true,
        };
        assert_eq!(record(Outcome::Cancelled, false), None);
        assert_eq!(record(Outcome::Cancelled, true), Some(slow_failure));
    }

    #[test]
    fn a_slow_success_is_counted_as_slow_and_not_as_failed() {
        let slow = outcome(&AttemptVerdict::Finished(Class::success()), true);
        assert_eq!(slow, Some(Outcome::Slow));
        let counted = Record {
            failed: false,
            slow: true,
        };
        assert_eq!(record(Outcome::Slow, true), Some(counted));
    }

    #[test]
    fn a_neutral_outcome_is_not_counted_however_slow() {
        assert_eq!(record(Outcome::Neutral, true), None);
    }

    #[test]
    fn a_panic_is_a_failure() {
        let failure = Record {
            failed: true,
            slow: false,
        };
        assert_eq!(record(Outcome::Panicked, false), Some(failure));
    }
}
