//! How a request can end, in the words of the contract: done, accepted, or nothing promised.

use holdfast_wire::{Degraded, DegradedCode, RecordedIn};
use uuid::Uuid;

use super::ports::WorkResult;

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The work is done, and its result durable.
    Done {
        /// The request's id: another than was asked to be recorded, if its key was known.
        id: Uuid,
        /// The worker's answer.
        result: WorkResult,
        /// Where the result is durable.
        recorded_in: RecordedIn,
        /// What was missing.
        degraded: Vec<Degraded>,
        /// Whether this is the answer to an earlier call under the same key.
        replayed: bool,
    },
    /// Not done yet, but durably accepted.
    Deferred {
        /// As above.
        id: Uuid,
        /// Where the acceptance is durable.
        recorded_in: RecordedIn,
        /// What was missing.
        degraded: Vec<Degraded>,
        /// As above.
        replayed: bool,
    },
    /// No promise was made.
    Refused(Refusal),
    /// The request, or the one under its key, has failed for good.
    Failed {
        /// The request's id.
        id: Uuid,
        /// Why.
        error: String,
    },
    /// The key stands for a request with another body.
    KeyReused {
        /// That request's id.
        id: Uuid,
    },
}

/// Why no promise was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What decided it.
    pub code: DegradedCode,
    /// All that was missing.
    pub degraded: Vec<Degraded>,
    /// What there was too much of, if that was it.
    pub overload: Option<Overload>,
}

/// Why the service takes on nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overload {
    /// As many calls under way as allowed.
    InFlight,
    /// As many bodies arriving as allowed.
    Bodies,
    /// As much accepted work to catch up on as allowed.
    OpenWork,
    /// The worker has as much to do as it can, and others are as urgent.
    Shed,
}

impl Overload {
    /// In words that are safe to show.
    #[must_use]
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::InFlight | Self::Bodies => {
                "the service has as many calls under way as it takes on"
            }
            Self::OpenWork => "the service has as much accepted work to catch up on as it takes on",
            Self::Shed => "the worker has as much to do as it can",
        }
    }
}

impl Outcome {
    pub(super) fn refused(code: DegradedCode, degraded: Vec<Degraded>) -> Self {
        Self::Refused(Refusal {
            code,
            degraded,
            overload: None,
        })
    }

    /// The same, as the answer to another call under the same key.
    pub(super) fn into_replay(mut self) -> Self {
        if let Self::Done { replayed, .. } | Self::Deferred { replayed, .. } = &mut self {
            *replayed = true;
        }
        self
    }
}
