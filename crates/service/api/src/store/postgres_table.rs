//! Postgres as the table of requests: each method by the file that has its statement.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::live::{
    Batch, EndRow, Finish, Finished, Insert, InsertKeyed, Inserted, NewRow, Written, by_ids,
    by_key, whole, write_both,
};
use super::reads;
use super::replay::Replayed;
use super::table::{BothWritten, kind_by_kind};
use super::{
    Claimed, CompletedOpen, DatabaseError, FailureOutcome, Forgotten, OpenRequest, Store, Table,
};
use crate::journal::Entry;
use crate::open_work::OpenCount;
use crate::process::{ExistingRequest, NewRequest, WorkResult};

type Result<T> = std::result::Result<T, DatabaseError>;

impl Table for Store {
    type Error = DatabaseError;

    async fn insert(&self, rows: &[NewRow]) -> Result<Vec<Written<Inserted>>> {
        Insert.write_all(&self.sessions, rows).await
    }

    async fn insert_keyed(&self, rows: &[NewRow]) -> Result<Vec<Written<Inserted>>> {
        InsertKeyed.write_all(&self.sessions, rows).await
    }

    async fn finish(&self, rows: &[EndRow]) -> Result<Vec<Written<Finished>>> {
        Finish.write_all(&self.sessions, rows).await
    }

    async fn write(&self, new: &[NewRow], ends: &[EndRow]) -> BothWritten<Self> {
        let both = !new.is_empty() && !ends.is_empty();
        if both && write_both(&self.sessions, new, ends).await? {
            let inserted = vec![Written::Run(Inserted::Ours); new.len()];
            let finished = vec![Written::Run(Finished::Recorded); ends.len()];
            return Ok((inserted, finished));
        }
        kind_by_kind(self, new, ends).await
    }

    async fn record(&self, request: &NewRequest, result: &WorkResult) -> Result<()> {
        whole::record(&self.sessions, request, result).await
    }

    async fn record_failed(&self, request: &NewRequest, error: &str) -> Result<()> {
        whole::fail(&self.sessions, request, error).await
    }

    async fn give_up(&self, id: Uuid, error: &str) -> Result<()> {
        whole::give_up(&self.sessions, id, error).await
    }

    async fn by_id(&self, id: Uuid) -> Result<Option<ExistingRequest>> {
        let session = self.sessions.acquire().await?;
        let found = by_ids(&session, &[id]).await;
        Ok(session.finish(found)?.remove(&id))
    }

    async fn by_key(&self, key: &str, body: Option<&str>) -> Result<Option<ExistingRequest>> {
        let session = self.sessions.acquire().await?;
        let found = by_key(&session, key, body).await;
        session.finish(found)
    }

    async fn probe(&self) -> Result<()> {
        self.probe().await
    }

    async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Result<Vec<OpenRequest>> {
        self.claim(limit, lease, longest_lease).await
    }

    async fn complete_open(
        &self,
        id: Uuid,
        response: &str,
        attempts: u32,
    ) -> Result<CompletedOpen> {
        self.complete_open(id, response, attempts).await
    }

    async fn extend(&self, claimed: Claimed, lease: Duration) -> Result<Option<Claimed>> {
        self.extend(claimed, lease).await
    }

    async fn give_back(&self, claimed: Claimed, pause: Duration) -> Result<()> {
        self.give_back(claimed, pause).await
    }

    async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Result<FailureOutcome> {
        self.count_failure(claimed, error, max_attempts, pause)
            .await
    }

    async fn replay(&self, entries: &[Entry], lock_limit: Duration) -> Result<Replayed> {
        let replayed = self.replay(entries, lock_limit).await;
        Replayed::answered(replayed)
    }

    async fn refuse(&self, entry: &Entry, error: &str) -> Result<Replayed> {
        let refused = self.refuse(entry, error).await;
        Replayed::answered(refused.map(|()| vec![]))
    }

    async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Result<Forgotten> {
        self.forget(keep, portion, from).await
    }

    async fn oldest_kept(&self, from: Option<Timestamp>) -> Result<Option<Duration>> {
        self.oldest_kept(from).await
    }

    async fn count_open(&self) -> Result<OpenCount> {
        reads::count_open(&self.sessions).await
    }
}
