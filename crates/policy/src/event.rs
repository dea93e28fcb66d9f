//! What the policies tell an observer: enough for metrics, logs and a live page.
//!
//! Observers are called outside every lock. A panic of theirs is caught, so it harms no call.

use std::sync::Arc;
use std::time::Duration;

use crate::error::ErrorKind;
use crate::snapshot::{BreakerState, OpenedBecause};

/// Receives events. Called on the task of the call, or of whoever moves the breaker by hand: must be
/// quick and must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        self.as_ref().on_event(event);
    }
}

/// Something a policy did or saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An attempt that reached the dependency is over.
    Attempt {
        /// The policy's name.
        policy: &'a str,
        /// Which attempt of its call, from 1.
        number: u32,
        /// How it ended.
        outcome: Outcome,
        /// Since its admission by the bulkhead.
        elapsed: Duration,
    },
    /// A policy refused; the dependency was not touched.
    Rejected {
        /// The policy's name.
        policy: &'a str,
        /// Which part of it refused.
        by: RejectedBy,
    },
    /// A further attempt is due after a wait; it may yet be refused, or its caller may leave.
    Retry {
        /// The policy's name.
        policy: &'a str,
        /// The number of the attempt to come, from 2.
        number: u32,
        /// The wait before it.
        after: Duration,
    },
    /// A further attempt was due, and the retry budget had no token for it.
    BudgetExhausted {
        /// The policy's name.
        policy: &'a str,
    },
    /// The breaker changed its state.
    Transition {
        /// The policy's name.
        policy: &'a str,
        /// The state it left.
        from: BreakerState,
        /// The state it is in since.
        to: BreakerState,
        /// Grows with each transition: of two events that overtook each other, the greater is the
        /// later one.
        generation: u64,
        /// Why it opened; `None` unless it did, and by itself.
        because: Option<OpenedBecause>,
    },
    /// A call is over.
    Call {
        /// The policy's name.
        policy: &'a str,
        /// What the caller got.
        outcome: CallOutcome,
        /// How many attempts reached the dependency.
        attempts: u32,
        /// How long the caller waited.
        elapsed: Duration,
    },
}

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

/// Which part of a policy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectedBy {
    /// Less than a whole attempt timeout was left.
    Deadline,
    /// Open, or half open with all probes out.
    Breaker,
    /// The breaker closed a moment ago and lets concurrency grow step by step.
    Ramp,
    /// No place, and no place in the queue either or a wait in vain.
    Bulkhead,
    /// It waited and somebody more urgent came, or its deadline left no time for the wait.
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

impl<'a> Event<'a> {
    /// The name of the policy it comes from.
    pub fn policy(&self) -> &'a str {
        match *self {
            Self::Attempt { policy, .. }
            | Self::Rejected { policy, .. }
            | Self::Retry { policy, .. }
            | Self::BudgetExhausted { policy }
            | Self::Transition { policy, .. }
            | Self::Call { policy, .. } => policy,
        }
    }
}

impl Event<'_> {
    /// The same event under another name, which may live longer: for an observer that keeps it.
    #[must_use]
    pub fn under(self, policy: &str) -> Event<'_> {
        match self {
            Self::Attempt {
                number,
                outcome,
                elapsed,
                ..
            } => Event::Attempt {
                policy,
                number,
                outcome,
                elapsed,
            },
            Self::Rejected { by, .. } => Event::Rejected { policy, by },
            Self::Retry { number, after, .. } => Event::Retry {
                policy,
                number,
                after,
            },
            Self::BudgetExhausted { .. } => Event::BudgetExhausted { policy },
            Self::Transition {
                from,
                to,
                generation,
                because,
                ..
            } => Event::Transition {
                policy,
                from,
                to,
                generation,
                because,
            },
            Self::Call {
                outcome,
                attempts,
                elapsed,
                ..
            } => Event::Call {
                policy,
                outcome,
                attempts,
                elapsed,
            },
        }
    }
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
