//! How a request can end, in the words of the contract: done, accepted, or nothing promised.

use holdfast_wire::{Degraded, DegradedCode, RecordedIn};
use serde_json::Value;

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The work is done.
    Done {
        /// The worker's body.
        response: Value,
        /// Where the result is durable; `None`: nowhere, the database could not record it.
        recorded_in: Option<RecordedIn>,
        /// What was missing.
        degraded: Vec<Degraded>,
    },
    /// Not done yet, but durably accepted.
    Deferred {
        /// Where the acceptance is durable.
        recorded_in: RecordedIn,
        /// What was missing.
        degraded: Vec<Degraded>,
    },
    /// No promise was made.
    Refused(Refusal),
}

/// Why no promise was made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// What decided it.
    pub code: DegradedCode,
    /// All that was missing.
    pub degraded: Vec<Degraded>,
}

impl Outcome {
    pub(super) fn refused(code: DegradedCode, degraded: Vec<Degraded>) -> Self {
        Self::Refused(Refusal { code, degraded })
    }
}
