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
