//! Observers for those who have no others yet, each behind a feature.
//!
//! | feature | observer | tells |
//! |---|---|---|
//! | `metrics` | [`Counters`] | the recorder of the `metrics` crate: attempts, calls, rejections, hedges, retries, transitions |
//! | `tracing` | [`TransitionLog`] | the subscriber of the `tracing` crate: each change of the breaker's state, and why |
//!
//! All series begin with `holdfast_` and carry `dependency`; every one exists from the start, and all other labels come
//! from closed sets.

#[cfg(feature = "metrics")]
mod counters;
#[cfg(feature = "tracing")]
mod transition_log;

#[cfg(feature = "metrics")]
pub use self::counters::Counters;
#[cfg(feature = "tracing")]
pub use self::transition_log::TransitionLog;
