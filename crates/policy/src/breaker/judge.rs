//! How an attempt ended, and what of it the breaker counts.

use std::time::Duration;

use super::window::Record;
use crate::class::{Finding, Health};
use crate::event::Outcome;

/// What became of an attempt whose result is known; `None` if it never reached the dependency.
pub(super) fn outcome(finding: Finding, elapsed: Duration, slow_call: Duration) -> Option<Outcome> {
    let outcome = match finding {
        Finding::Finished(class) => match class.health {
            Health::Success if elapsed >= slow_call => Outcome::Slow,
            Health::Success => Outcome::Success,
            Health::Neutral => Outcome::Neutral,
            Health::Failure => Outcome::Failure,
        },
        Finding::TimedOut => Outcome::TimedOut,
        Finding::Rejected => return None,
    };
    Some(outcome)
}

/// What the breaker counts; `None`: nothing. Who hangs up early says nothing about the dependency;
/// who gave up after it was slow says that it is.
pub(super) fn record(outcome: Outcome, elapsed: Duration, slow_call: Duration) -> Option<Record> {
    let slow = elapsed >= slow_call;
    match outcome {
        Outcome::Success | Outcome::Slow => Some(Record {
            failed: false,
            slow,
        }),
        Outcome::Failure | Outcome::TimedOut | Outcome::Panicked => {
            Some(Record { failed: true, slow })
        }
        Outcome::Cancelled if slow => Some(Record { failed: true, slow }),
        Outcome::Cancelled | Outcome::Neutral => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Class;

    const SLOW: Duration = Duration::from_secs(1);
    const FAST: Duration = Duration::from_millis(999);

    #[test]
    fn an_answer_at_the_threshold_is_slow() {
        let answered = Finding::Finished(Class::success());
        assert_eq!(outcome(answered, FAST, SLOW), Some(Outcome::Success));
        assert_eq!(outcome(answered, SLOW, SLOW), Some(Outcome::Slow));
    }

    #[test]
    fn a_rejection_is_no_outcome() {
        assert_eq!(outcome(Finding::Rejected, FAST, SLOW), None);
    }

    #[test]
    fn an_early_cancel_is_not_counted_and_a_late_one_is_a_slow_failure() {
        assert_eq!(record(Outcome::Cancelled, FAST, SLOW), None);
        let slow_failure = Record {
            failed: true,
            slow: true,
        };
        assert_eq!(record(Outcome::Cancelled, SLOW, SLOW), Some(slow_failure));
    }

    #[test]
    fn a_neutral_outcome_is_not_counted_however_slow() {
        assert_eq!(record(Outcome::Neutral, SLOW * 9, SLOW), None);
    }

    #[test]
    fn a_panic_is_a_failure() {
        let failure = Record {
            failed: true,
            slow: false,
        };
        assert_eq!(record(Outcome::Panicked, FAST, SLOW), Some(failure));
    }
}
