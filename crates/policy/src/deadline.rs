//! The deadline: the outermost policy, and the only one a caller sees from outside.
//!
//! # Semantics
//!
//! A call ends by the earlier of the policy's `deadline` and the caller's own
//! ([`Call::by`](crate::Call::by)), with all its attempts and waits. The deadline is carried inwards, so
//! that each policy can refuse what would come too late instead of starting it:
//!
//! - an attempt starts only if a whole attempt timeout remains: a caller's short deadline would cut it
//!   and learn nothing, and the dependency would be blamed for it;
//! - no wait before a retry and no wait for a slot is begun that would pass it;
//! - an attempt is cut by it, if not earlier by the [attempt timeout](crate::timeout): the attempt
//!   has the one timer for both.
//!
//! So the deadline needs no timer of its own. Too little time is
//! [`DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded), and the dependency was not touched, unless
//! the attempt timeout is left out and the deadline cut the attempt.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `deadline` | `"3s"`; it cannot be left out |
//!
//! At least one `attempt_timeout`, and for one retry to be possible two of them and the wait between.
//! What several calls in a row may take is the sum of their deadlines: that is the bound a service can
//! promise, and [`Policy::worst_case`](crate::Policy::worst_case) is its part.
//!
//! Source: the deadlines of gRPC, which travel with the call.

use std::time::Duration;

use tokio::time::Instant;

/// Stands in for a deadline beyond what the clock can express.
const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The instant by which an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct Deadline(Instant);

impl Deadline {
    /// At `instant`.
    #[inline]
    pub fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// `from_now` later than now.
    pub fn after(from_now: Duration) -> Self {
        Self(Instant::now()).plus(from_now)
    }

    /// What remains at `now`; zero when it has passed.
    #[inline]
    pub fn remaining(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// The earlier of two.
    #[inline]
    pub fn earlier(self, other: Self) -> Self {
        self.min(other)
    }

    /// Earlier by `reserve`, which is kept for what must still happen after the call.
    pub fn less(self, reserve: Duration) -> Self {
        // Before the clock's first instant there is none to name; one that has passed will do.
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// The instant itself.
    #[inline]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Whether `span`, begun at `now`, ends in time.
    #[inline]
    pub(crate) fn fits(self, span: Duration, now: Instant) -> bool {
        self.remaining(now) >= span
    }

    #[inline]
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.checked_add(span).unwrap_or(self.0 + FAR_FUTURE))
    }
}
