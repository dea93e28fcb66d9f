//! Where requests are recorded, as the recorder tells it.

use holdfast_wire::{Degraded, RecordedIn};

use super::decision::Accepted;
use super::existing::ExistingRequest;
use crate::journal::Pin;

/// What became of a request that was to be recorded.
pub(super) enum Received {
    /// It is recorded there and its work is ours.
    Ours(RecordLocation),
    /// It, or another one under its key, is recorded already.
    Existing(RecordedRequest),
    /// Postgres refuses it; it is recorded as failed.
    Rejected(String),
}

/// A request that is recorded already, and where.
pub(super) struct RecordedRequest {
    pub(super) existing: ExistingRequest,
    pub(super) recorded_in: RecordedIn,
    /// Why Postgres was not asked.
    pub(super) missing: Option<Degraded>,
}

/// Where a request of ours is recorded.
pub(super) enum RecordLocation {
    /// In Postgres, under a lease.
    Database,
    /// In the journal, pinned.
    Journal {
        /// Why it is not in Postgres.
        missing: Degraded,
        _pin: Pin,
    },
}

impl RecordLocation {
    /// As the decision knows it.
    pub(super) fn accepted(&self) -> Accepted {
        match self {
            Self::Database => Accepted::Database,
            Self::Journal { missing, .. } => Accepted::Journal(missing.clone()),
        }
    }
}

impl RecordedRequest {
    pub(super) fn in_database(existing: ExistingRequest) -> Self {
        Self {
            existing,
            recorded_in: RecordedIn::Database,
            missing: None,
        }
    }
}
