//! What the policies tell an observer: enough for metrics, logs and a live page.
//!
//! Observers are called outside every lock. A panic of theirs is caught, so it harms no call.

mod outcome;

use std::sync::Arc;
use std::time::Duration;

pub use self::outcome::{CallOutcome, HedgeOutcome, Outcome, RejectedBy};

use crate::snapshot::{BreakerState, OpenedBecause};

/// Receives events. Called on the task of the call, or of the code that moves the breaker by hand: must be
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
///
/// Who tests an observer can build one. A variant may get a field in a minor version: match the others away with `..`.
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
    /// A second attempt beside a slow one is over.
    Hedge {
        /// The policy's name.
        policy: &'a str,
        /// The number of the second attempt.
        number: u32,
        /// What became of it.
        outcome: HedgeOutcome,
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

impl<'a> Event<'a> {
    /// The name of the policy it comes from.
    pub fn policy(&self) -> &'a str {
        match *self {
            Self::Attempt { policy, .. }
            | Self::Rejected { policy, .. }
            | Self::Retry { policy, .. }
            | Self::Hedge { policy, .. }
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
            Self::Hedge {
                number, outcome, ..
            } => Event::Hedge {
                policy,
                number,
                outcome,
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
