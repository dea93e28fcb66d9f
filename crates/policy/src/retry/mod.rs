//! Retry: tries again what is worth trying again, and never more than a budget allows.
//!
//! A further attempt is made only if *all* of these hold, asked in this order: the failure is
//! retryable (and the call idempotent, unless the request is known never to have reached the
//! dependency); attempts are left; the wait and a whole attempt timeout fit into the deadline; the
//! breaker will not refuse it anyway; the budget has a token. Rejections are never retried. When
//! one does not hold, the caller gets the failure at hand.
//!
//! The token is taken before the wait and not given back: a retry that waits is load to come.

mod backoff;
mod bucket;
mod budget;
mod future;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod jitter;
mod rules;
mod service;

pub use self::budget::Budget;
pub use self::future::RetryFuture;
pub use self::rules::RetrySettings;
pub use self::service::{RetryLayer, RetryService};
