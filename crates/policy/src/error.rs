//! The one error of a policed call: which policy, what happened, after how many attempts, how long
//! it took and when to come back.
//!
//! It is made as it leaves the policy: inside, a failure is its [`ErrorKind`] alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a policed call gave no answer.
#[derive(Clone, Debug)]
pub struct Error<E> {
    kind: ErrorKind<E>,
    report: Report,
}

/// The last real cause. When a further attempt is refused by the breaker, the bulkhead, the budget
/// or the deadline, it is the failure that came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind<E> {
    /// The dependency was touched and failed.
    Failed(E),
    /// An attempt took longer than the attempt timeout.
    AttemptTimeout,
    /// Too little time is left for an attempt, and the dependency was not touched; or, without an attempt
    /// timeout, the deadline cut one under way.
    DeadlineExceeded,
    /// The breaker is open; the dependency was not touched.
    CircuitOpen,
    /// No slot was free in the bulkhead, or in what the ramp allows of it just after the breaker
    /// closed; the dependency was not touched.
    BulkheadFull,
}

/// Everything about an error but its kind.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) policy: Arc<str>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) retry_after: Option<Duration>,
}

impl<E> Error<E> {
    /// The name of the policy that gave up.
    pub fn policy(&self) -> &str {
        &self.report.policy
    }

    /// What happened.
    #[inline]
    pub fn kind(&self) -> &ErrorKind<E> {
        &self.kind
    }

    /// How many attempts reached the dependency.
    #[inline]
    pub fn attempts(&self) -> u32 {
        self.report.attempts
    }

    /// How long the caller waited.
    pub fn elapsed(&self) -> Duration {
        self.report.elapsed
    }

    /// When to come back, if the breaker or the dependency said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.report.retry_after
    }

    /// What happened, by value.
    pub fn into_kind(self) -> ErrorKind<E> {
        self.kind
    }

    /// The same with another cause, if the dependency failed: for who wraps its errors.
    pub fn map<F>(self, cause: impl FnOnce(E) -> F) -> Error<F> {
        let kind = match self.kind {
            ErrorKind::Failed(error) => ErrorKind::Failed(cause(error)),
            ErrorKind::AttemptTimeout => ErrorKind::AttemptTimeout,
            ErrorKind::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            ErrorKind::CircuitOpen => ErrorKind::CircuitOpen,
            ErrorKind::BulkheadFull => ErrorKind::BulkheadFull,
        };
        Error::new(kind, self.report)
    }

    #[inline]
    pub(crate) fn new(kind: ErrorKind<E>, report: Report) -> Self {
        Self { kind, report }
    }
}

impl<E> ErrorKind<E> {
    /// A stable label in snake case, for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::AttemptTimeout => "attempt_timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::CircuitOpen => "circuit_open",
            Self::BulkheadFull => "bulkhead_full",
        }
    }
}

impl<E: fmt::Display> fmt::Display for ErrorKind<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(cause) => cause.fmt(f),
            Self::AttemptTimeout => f.write_str("no answer within the attempt timeout"),
            Self::DeadlineExceeded => f.write_str("not enough time is left for an attempt"),
            Self::CircuitOpen => f.write_str("not called: its circuit breaker is open"),
            Self::BulkheadFull => f.write_str("not called: too many calls are in flight"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            attempts,
            elapsed,
            retry_after,
            ..
        } = self.report;
        write!(f, "{}: {}", self.report.policy, self.kind)?;
        if attempts > 0 {
            let s = if attempts == 1 { "" } else { "s" };
            write!(
                f,
                " ({attempts} attempt{s} in {:.3} s)",
                elapsed.as_secs_f64()
            )?;
        }
        match retry_after {
            Some(wait) => write!(f, "; try again in {:.3} s", wait.as_secs_f64()),
            None => Ok(()),
        }
    }
}

/// Its message has the cause's in it. So the cause is not its [`source`](std::error::Error::source) as well, or who prints
/// the chain prints it twice: the chain goes on with what caused the cause, which itself is in [`kind`](Error::kind).
impl<E: std::error::Error + 'static> std::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Failed(cause) => cause.source(),
            _ => None,
        }
    }
}
