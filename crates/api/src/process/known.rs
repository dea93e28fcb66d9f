//! Requests that are known already: sent again under their `Idempotency-Key`.

use serde_json::Value;
use uuid::Uuid;

/// What became of a request that was to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Receipt {
    /// It is recorded and its work is the caller's.
    Ours,
    /// Its key stands for another one already.
    Known(Known),
    /// The database will never take it.
    Unfit,
}

/// A request that is known already.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// Its id.
    pub id: Uuid,
    /// Whether it came with the same body.
    pub same_body: bool,
    /// How far it is.
    pub standing: Standing,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// Somebody is at work on it.
    Running,
    /// It waits for somebody to take it up.
    Waiting,
    /// Finished with the worker's body.
    Done(Value),
    /// Given up, and why.
    Failed(String),
}
