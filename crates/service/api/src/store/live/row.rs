//! What live calls want written, a row each, and what came of it.

use uuid::Uuid;

use crate::process::ExistingRequest;

/// A request to be recorded.
#[derive(Debug, Clone)]
pub(super) struct NewRow {
    pub(super) id: Uuid,
    /// Empty where it has none.
    pub(super) key: String,
    pub(super) payload: Option<String>,
    /// Seconds for which it is the caller's; `None`: recovery may have it at once.
    pub(super) lease: Option<f64>,
}

/// An end to be recorded.
#[derive(Debug, Clone)]
pub(super) struct EndRow {
    pub(super) id: Uuid,
    /// The worker's response; `None`: the request is left to recovery.
    pub(super) response: Option<String>,
    /// Calls of the worker it took.
    pub(super) attempts: i32,
}

/// What came of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It is recorded.
    Recorded,
    /// It is not: this stands there.
    Existing(ExistingRequest),
    /// It is not, and nothing stands there.
    Gone,
    /// Its key stood for nothing when it was looked up. By now it is free.
    KeyFreed,
}

impl NewRow {
    /// About how much of a statement it takes.
    pub(super) fn bytes(&self) -> usize {
        16 + self.key.len() + self.payload.as_ref().map_or(0, String::len)
    }
}

impl EndRow {
    /// About how much of a statement it takes.
    pub(super) fn bytes(&self) -> usize {
        20 + self.response.as_ref().map_or(0, String::len)
    }
}
