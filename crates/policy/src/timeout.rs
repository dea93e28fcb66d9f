//! The attempt timeout: no single attempt takes longer, whatever the service does, and none outlasts the
//! deadline of its call.
//!
//! # Semantics
//!
//! Runs from the attempt's admission by the bulkhead, so that waiting for a slot does not use it up, and
//! includes the wait until the service is ready. Cut, the attempt is dropped by its caller.
//! Whether the dependency carries it out all the same nobody knows, so it is tried again only if the
//! call is idempotent. To the breaker it is a failure.
//!
//! Left out (`attempt_timeout = false`), an attempt may use all that is left of the deadline. Cut by
//! that, it is neutral to the breaker unless it was slow already: so a policy without an attempt timeout
//! that has a breaker needs `slow_call`, or nobody would ever see that the dependency hangs.
//!
//! The timer costs nothing until an attempt has to wait: an answer that is there at once never touches
//! the runtime's timer wheel.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `attempt_timeout` | `"1s"`; `false` leaves it out |
//!
//! A little above what the dependency takes at its worst while it is well (its 99.9th percentile), for
//! each healthy call that is cut comes back as a retry.

use std::time::Duration;

use tokio::time::Instant;

use crate::class::AttemptVerdict;
use crate::deadline::Deadline;
use crate::error::ErrorKind;

/// Why an attempt is cut when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    AttemptTimeout,
    Deadline,
}

/// When an attempt that starts at `now` is cut, and what that means. One due at both moments was
/// too slow: that says more than that its caller's time was up.
#[inline]
pub(crate) fn cut(after: Option<Duration>, now: Instant, deadline: Deadline) -> (Instant, Cut) {
    let end = after.map(|after| Deadline::at(now).plus(after));
    match end.filter(|end| *end <= deadline) {
        Some(end) => (end.instant(), Cut::AttemptTimeout),
        None => (deadline.instant(), Cut::Deadline),
    }
}

impl Cut {
    pub(crate) fn kind<E>(self) -> ErrorKind<E> {
        match self {
            Self::AttemptTimeout => ErrorKind::AttemptTimeout,
            Self::Deadline => ErrorKind::DeadlineExceeded,
        }
    }

    pub(crate) fn verdict(self) -> AttemptVerdict {
        match self {
            Self::AttemptTimeout => AttemptVerdict::TimedOut,
            Self::Deadline => AttemptVerdict::Cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_attempt_due_at_the_deadline_itself_was_too_slow() {
        let now = Instant::now();
        let deadline = Deadline::at(now).plus(SECOND);
        let due = |after| cut(after, now, deadline).1;
        assert_eq!(due(Some(SECOND)), Cut::AttemptTimeout);
        assert_eq!(due(Some(SECOND * 2)), Cut::Deadline);
        assert_eq!(due(None), Cut::Deadline);
    }
}
