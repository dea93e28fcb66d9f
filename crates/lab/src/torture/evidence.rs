//! What a run leaves to be judged, as data.

use std::time::Duration;

use uuid::Uuid;

use super::schedule::{Kind, Target};
use crate::check::Ledger;
use crate::load::{Outcome, Try};

/// A target that was hurt, really. Times count from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hurt {
    pub(super) target: Target,
    pub(super) kind: Kind,
    pub(super) from: Duration,
    /// When it was ready again.
    pub(super) to: Duration,
}

/// A request sent once more after the end.
#[derive(Debug, Clone)]
pub(super) struct Again {
    pub(super) key: String,
    /// Under which it was accepted.
    pub(super) id: Uuid,
    /// With the same body.
    pub(super) same: Try,
    /// With another one.
    pub(super) other: Try,
}

/// All there is to know of a run.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) replicas: usize,
    /// `process.worst_case_seconds`.
    pub(super) bound: Duration,
    /// How long a client waited for one answer.
    pub(super) try_for: Duration,
    pub(super) hurts: Vec<Hurt>,
    pub(super) outcomes: Vec<Outcome>,
    /// Why what was hurt did not come back.
    pub(super) fell: Vec<String>,
    /// What was not finished when the wait was over.
    pub(super) left: Vec<String>,
    pub(super) ledger: Ledger,
    /// Of the table: each row's id and the key that its body carries.
    pub(super) rows: Vec<(Uuid, String)>,
    /// Of `idempotency_keys`.
    pub(super) keys: Vec<(String, Uuid)>,
    pub(super) again: Vec<Again>,
    /// Calls of the worker until all was done, and those that asking again made.
    pub(super) worker_calls: u64,
    pub(super) worker_calls_again: u64,
}
