//! Retry: tries again what is worth trying again, and never more than a budget allows.
//!
//! # When
//!
//! A further attempt is made only if *all* of these hold, asked in this order:
//!
//! 1. the failure is retryable, says the [`Classify`](crate::Classify); and the call is idempotent,
//!    unless the request is known never to have reached the dependency
//!    ([`Retry::Always`](crate::Retry::Always): refused, name not found);
//! 2. attempts are left (`max_attempts`, the first one included; an attempt and its [hedge](crate::hedge) count as
//!    one, for the budget bounds hedges);
//! 3. the wait and a whole attempt timeout fit into the deadline: the sum of all tries never passes it;
//! 4. the breaker will not refuse it anyway;
//! 5. the budget has a token.
//!
//! Rejections, those of the breaker and of the bulkhead, are never retried. When one of these does not
//! hold, the caller gets the failure at hand: the last real cause, not "retries exhausted".
//!
//! # After what wait
//!
//! `initial`, grown by `multiplier` up to `max`; of each wait half is fixed and half is drawn from a
//! seeded generator, so that callers hit by the same event do not come back together. If the dependency
//! said when to come back (`Retry-After`), then, and the drawn half later; if that is too late for the
//! deadline, not at all.
//!
//! # The budget
//!
//! A token bucket: each call deposits `ratio` of a token, each second `floor_per_second`; a retry takes a
//! whole one, *before* its wait, and never gives it back, for a retry that waits is load to come. It
//! starts with one second's floor, holds ten tokens at most, and what is ten seconds old expires. The
//! arithmetic is exact, in integers, so however many calls fail, attempts stay below
//! `1 + ratio + floor / arrival rate` per call in the long run; in a burst after a quiet time the saved
//! tokens come on top, ten at most. All that adds load draws from the same [`Budget`]:
//! clones share it.
//!
//! # Throttling
//!
//! What the dependency refused because it has too much to do ([`Class::throttled`](crate::Class::throttled):
//! HTTP 429, or 503 with `Retry-After`) cost it next to nothing, and trying again helps only later. So such
//! a retry takes `throttled.cost` of a token and waits `throttled.slowdown` times as long. With a `cost` of
//! a half, retries of throttled calls may be twice what the bound above says.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `idempotent` | `false`: only the owner of an operation knows; a call may overrule it |
//! | `max_attempts` | `3` |
//! | `backoff.initial`, `.max`, `.multiplier` | `"100ms"`, `"1s"`, `2.0` |
//! | `budget.ratio` | `0.1`: an outage costs a tenth more load instead of three times as much |
//! | `budget.floor_per_second` | `1.0`: a quiet service can retry at all |
//! | `throttled.cost` | `0.5` |
//! | `throttled.slowdown` | `4.0` |
//!
//! `retry = false` leaves it out: a failure is the answer. A request that is sent only once, by
//! [`Policy::call_once`](crate::Policy::call_once) or [`Policy::layer_once`](crate::Policy::layer_once), need not be `Clone`.
//!
//! Sources: the retry budget of Finagle; "equal jitter" of the AWS Architecture Blog; the exponential
//! schedule is the `backoff` crate's.

mod backoff;
mod bucket;
mod budget;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod jitter;
mod rules;

pub use self::budget::Budget;
pub(crate) use self::jitter::Jitter;
pub(crate) use self::rules::{Rules, Tried};
