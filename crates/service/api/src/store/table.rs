//! What the service asks of the table of requests, a statement at a time. Postgres is one such table; a simulation may bring
//! another, and everything above it is the same code.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::live::{EndRow, Finished, Inserted, NewRow, Written};
use super::open::{Claimed, CompletedOpen, FailureOutcome, OpenRequest};
use super::replay::Replayed;
use super::retention::Forgotten;
use crate::dependency::DependencyError;
use crate::journal::Entry;
use crate::open_work::OpenCount;
use crate::process::{ExistingRequest, NewRequest, WorkResult};

/// What came of new requests, and of ends.
pub(super) type BothWritten<T> =
    Result<(Vec<Written<Inserted>>, Vec<Written<Finished>>), <T as Table>::Error>;

/// The table of requests. Each method is one transaction that may be repeated, because its answer may be lost; an error says
/// nothing about whether it was committed. Clones are the same table.
pub trait Table: Clone + Send + Sync + 'static {
    /// Why a statement was not answered.
    type Error: DependencyError;

    /// Records requests without a key; one that is there already stays.
    fn insert(
        &self,
        rows: &[NewRow],
    ) -> impl Future<Output = Result<Vec<Written<Inserted>>, Self::Error>> + Send;
    /// Records requests with a key, each unless its key stands for another one.
    fn insert_keyed(
        &self,
        rows: &[NewRow],
    ) -> impl Future<Output = Result<Vec<Written<Inserted>>, Self::Error>> + Send;
    /// Records ends, or leaves requests to recovery.
    fn finish(
        &self,
        rows: &[EndRow],
    ) -> impl Future<Output = Result<Vec<Written<Finished>>, Self::Error>> + Send;
    /// Records requests without a key and ends of others, and says what came of each, in their order. It may be one
    /// transaction, which saves a commit.
    fn write(
        &self,
        new: &[NewRow],
        ends: &[EndRow],
    ) -> impl Future<Output = BothWritten<Self>> + Send {
        kind_by_kind(self, new, ends)
    }
    /// Records a request that is not there, whole, as done with `result`.
    fn record(
        &self,
        request: &NewRequest,
        result: &WorkResult,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
    /// Records a request that is not there, without its body, as failed.
    fn record_failed(
        &self,
        request: &NewRequest,
        error: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
    /// Records that an open request failed.
    fn give_up(
        &self,
        id: Uuid,
        error: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
    /// How far a request is, confirmed as a commit would be.
    fn by_id(
        &self,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<ExistingRequest>, Self::Error>> + Send;
    /// What a key stands for, confirmed as a commit would be.
    fn by_key(
        &self,
        key: &str,
        body: Option<&str>,
    ) -> impl Future<Output = Result<Option<ExistingRequest>, Self::Error>> + Send;

    /// Whether the table takes writes, without making one.
    fn probe(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;
    /// Claims the open requests that have been free for longest, `limit` at most, for `lease`; no lease is longer than
    /// `longest_lease`.
    fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> impl Future<Output = Result<Vec<OpenRequest>, Self::Error>> + Send;
    /// Records an open request's result.
    fn complete_open(
        &self,
        id: Uuid,
        response: &str,
        attempts: u32,
    ) -> impl Future<Output = Result<CompletedOpen, Self::Error>> + Send;
    /// Keeps a claim for another `lease`; `None` if it is not ours any more.
    fn extend(
        &self,
        claimed: Claimed,
        lease: Duration,
    ) -> impl Future<Output = Result<Option<Claimed>, Self::Error>> + Send;
    /// Gives a claim back; nobody may have it for `pause`.
    fn give_back(
        &self,
        claimed: Claimed,
        pause: Duration,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
    /// Counts a failure of the request's own: given up if that makes `max_attempts`, else nobody may have it for `pause`.
    fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> impl Future<Output = Result<FailureOutcome, Self::Error>> + Send;
    /// Records all of a journal's `entries`, or none; waits for nobody's lock longer than `lock_limit`.
    fn replay(
        &self,
        entries: &[Entry],
        lock_limit: Duration,
    ) -> impl Future<Output = Result<Replayed, Self::Error>> + Send;
    /// Records a journal's entry as failed.
    fn refuse(
        &self,
        entry: &Entry,
        error: &str,
    ) -> impl Future<Output = Result<Replayed, Self::Error>> + Send;
    /// Deletes what is done or cancelled and was kept for longer than `keep`, the oldest from `from` on, `portion` at most.
    fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> impl Future<Output = Result<Forgotten, Self::Error>> + Send;
    /// For how long the oldest done request from `from` on has been kept.
    fn oldest_kept(
        &self,
        from: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Duration>, Self::Error>> + Send;
    /// How many requests are open.
    fn count_open(&self) -> impl Future<Output = Result<OpenCount, Self::Error>> + Send;
}

/// What [`Table::write`] comes to without a statement for both kinds.
pub(super) async fn kind_by_kind<T: Table>(
    table: &T,
    new: &[NewRow],
    ends: &[EndRow],
) -> BothWritten<T> {
    // The ends first: their clients are about to read that the work is done.
    let finished = match ends {
        [] => vec![],
        _ => table.finish(ends).await?,
    };
    let inserted = match new {
        [] => vec![],
        _ => table.insert(new).await?,
    };
    Ok((inserted, finished))
}
