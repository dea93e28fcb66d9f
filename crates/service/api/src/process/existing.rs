//! Requests that are recorded already: sent again under their `Idempotency-Key`, or recorded by an earlier try.

use holdfast_wire::JsonText;
use uuid::Uuid;

use super::ports::WorkResult;

/// What became of a request that was to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InsertOutcome {
    /// It is recorded and its work is the caller's.
    Inserted,
    /// Its key stands for another one already, or it is itself recorded and finished.
    Existing(ExistingRequest),
    /// The database refuses this request: it is recorded as failed.
    Rejected {
        /// Why.
        error: String,
    },
}

/// What became of a result that was to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Completion {
    /// It is recorded.
    Recorded,
    /// Another end was recorded before, and stays.
    EndedOtherwise(RequestState),
}

/// A request that is recorded already.
#[derive(Debug, Clone, PartialEq)]
pub struct ExistingRequest {
    /// Its id.
    pub id: Uuid,
    /// Whether it came with the same body.
    pub same_body: bool,
    /// How far it is.
    pub state: RequestState,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestState {
    /// Somebody is at work on it.
    Running,
    /// It waits for somebody to take it up.
    Waiting,
    /// Finished with the worker's answer.
    Done(WorkResult),
    /// Given up, and why.
    Failed(String),
    /// Given up by an operator.
    Cancelled,
}

impl RequestState {
    /// The worker's body, if it is done.
    #[must_use]
    pub fn response(&self) -> Option<&JsonText> {
        match self {
            Self::Done(result) => Some(&result.response),
            Self::Running | Self::Waiting | Self::Failed(_) | Self::Cancelled => None,
        }
    }
}
