//! How attempts, hedges and calls end, and who refuses them: closed sets, with a stable label for each.

use crate::error::ErrorKind;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Well and in time.
    Success,
    /// Well, but not before the slow-call threshold.
    Slow,
    /// Badly.
    Failure,
    /// In a way that says nothing about the dependency.
    Neutral,
    /// Cut by the attempt timeout.
    TimedOut,
    /// Dropped by the caller.
    Cancelled,
    /// The operation panicked.
    Panicked,
}

/// What became of a second attempt beside a slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HedgeOutcome {
    /// Its answer was the first.
    Won,
    /// The other attempt answered first, or it brought no answer.
    Lost,
    /// The caller left while both were out.
    Cancelled,
}

/// Which part of a policy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectedBy {
    /// Less than a whole attempt timeout was left.
    Deadline,
    /// Open, or half open with all probes out.
    Breaker,
    /// The breaker closed a moment ago and lets concurrency grow step by step.
    Ramp,
    /// No slot, and no room in the queue either, or a wait in vain.
    Bulkhead,
    /// It waited and somebody more urgent came, or its turn would have come too late.
    Shed,
}

/// What the caller got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// A response (even one that the classifier calls a failure).
    Answered,
    /// [`ErrorKind::Failed`].
    Failed,
    /// [`ErrorKind::AttemptTimeout`].
    AttemptTimeout,
    /// [`ErrorKind::DeadlineExceeded`].
    DeadlineExceeded,
    /// [`ErrorKind::CircuitOpen`].
    CircuitOpen,
    /// [`ErrorKind::BulkheadFull`].
    BulkheadFull,
    /// Nothing: it dropped the call.
    Cancelled,
    /// A panic of the operation.
    Panicked,
}

impl Outcome {
    /// Every outcome, so that a metric can exist before its first event.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Slow,
        Self::Failure,
        Self::Neutral,
        Self::TimedOut,
        Self::Cancelled,
        Self::Panicked,
    ];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Slow => "slow",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }
}

impl HedgeOutcome {
    /// Every outcome, so that a metric can exist before its first event.
    pub const ALL: [Self; 3] = [Self::Won, Self::Lost, Self::Cancelled];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}

impl RejectedBy {
    /// Every reason, so that a metric can exist before its first event.
    pub const ALL: [Self; 5] = [
        Self::Deadline,
        Self::Breaker,
        Self::Ramp,
        Self::Bulkhead,
        Self::Shed,
    ];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Breaker => "breaker",
            Self::Ramp => "ramp",
            Self::Bulkhead => "bulkhead",
            Self::Shed => "shed",
        }
    }
}

impl CallOutcome {
    /// Every outcome, so that a metric can exist before its first event.
    pub const ALL: [Self; 8] = [
        Self::Answered,
        Self::Failed,
        Self::AttemptTimeout,
        Self::DeadlineExceeded,
        Self::CircuitOpen,
        Self::BulkheadFull,
        Self::Cancelled,
        Self::Panicked,
    ];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::AttemptTimeout => "attempt_timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::CircuitOpen => "circuit_open",
            Self::BulkheadFull => "bulkhead_full",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }
}

impl<E> From<&ErrorKind<E>> for CallOutcome {
    fn from(kind: &ErrorKind<E>) -> Self {
        match kind {
            ErrorKind::Failed(_) => Self::Failed,
            ErrorKind::AttemptTimeout => Self::AttemptTimeout,
            ErrorKind::DeadlineExceeded => Self::DeadlineExceeded,
            ErrorKind::CircuitOpen => Self::CircuitOpen,
            ErrorKind::BulkheadFull => Self::BulkheadFull,
        }
    }
}
