//! The durable local journal: what Postgres cannot record is recorded here, and moved there later.
//!
//! What an answer promises rests on this: an append that returned [`Appended::Stored`] is on disk, and stays until it
//! is removed. One thread (`thread`) owns the file (`tables`, `write`; the store is redb) and does all that touches
//! the disk, for a disk may hang; callers wait for it no longer than their deadline. Appends that come together share
//! one commit (`group_commit`). `files` is the folder, `ballast` what a full disk means, `quota` how `max_bytes` is counted.
//!
//! What must not be true: an append is answered before its commit is on disk; half a batch is stored; a caller waits
//! past its deadline; a damaged file is written to; two processes share a folder; memory grows with the entries.

mod ballast;
mod entry;
mod error;
mod files;
mod group_commit;
mod limits;
mod pins;
mod preallocated_file;
mod queue;
mod quota;
mod serve;
mod set_aside;
mod start;
mod stats;
mod tables;
#[cfg(test)]
mod tests;
mod thread;
mod write;

use std::sync::Arc;

use holdfast_policy::Deadline;
use holdfast_wire::RequestOrder;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use self::entry::Row;
pub(crate) use self::entry::{Appended, Batch, Page};
pub use self::entry::{Entry, WorkResult};
pub use self::error::StorageFault;
pub(crate) use self::error::{JournalError, JournalInUse};
pub use self::files::Files;
pub(crate) use self::files::holds_a_journal;
pub use self::limits::JournalLimits;
pub(crate) use self::pins::Pin;
use self::pins::Pins;
use self::queue::{Append, Job, Queue, Read, Reply, Write};
pub use self::set_aside::{SetAside, SetAsideError};
pub use self::stats::JournalStats;
use self::stats::SharedStats;
use self::thread::unavailable;

/// The journal. Clones share it; with the last one it closes.
#[derive(Clone)]
pub struct Journal {
    queue: Queue,
    stats: Arc<SharedStats>,
    pins: Pins,
}

impl Journal {
    /// Stores `entry` in place of the one of the same id, if there is one: a request, then the same with its end. An
    /// entry that has an end stays as it is: the first result wins.
    ///
    /// Durable when it returns `Stored`. After `Full` and `Busy` nothing is stored; after `TimedOut` and `Unavailable`
    /// it may be.
    ///
    /// # Errors
    /// [`Full`](JournalError::Full) only for an entry that adds, as far as the reserve for ends allows; else see
    /// [`JournalError`].
    pub(crate) async fn append(
        &self,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<Appended, JournalError> {
        let appended = self.try_append(entry, deadline).await;
        if appended.is_err() {
            self.stats.refused();
        }
        appended
    }

    async fn try_append(
        &self,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<Appended, JournalError> {
        let json = entry.encode().map_err(|error| {
            tracing::error!(request_id = %entry.id, %error, "this entry has no JSON form");
            JournalError::Unavailable("the journal cannot hold this entry".to_owned())
        })?;
        let json = self.queue.carry(json)?;
        let append = |reply| Append {
            id: entry.id,
            key: entry.key.clone(),
            ended: entry.end.is_some(),
            json,
            reply,
        };
        let job = |reply| Job::Write(Write::Append(append(reply)));
        match self.ask(deadline, job).await? {
            None => Ok(Appended::Stored),
            Some(other) if other.0 == entry.id => {
                Ok(Appended::EndedBefore(Box::new(readable(&other)?)))
            }
            Some(holder) => Ok(Appended::KeyTaken(Box::new(readable(&holder)?))),
        }
    }

    /// The entry `id`.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn find(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<Entry>, JournalError> {
        if self.stats.is_empty() {
            return Ok(None);
        }
        let found = self.ask(deadline, |reply| Job::Read(Read::Find(id, reply)));
        found.await?.as_ref().map(readable).transpose()
    }

    /// Those of the entries `ids` that are there and can be read.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn find_all(
        &self,
        ids: Vec<Uuid>,
        deadline: Deadline,
    ) -> Result<Vec<Entry>, JournalError> {
        if self.stats.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(deadline, |reply| Job::Read(Read::FindAll(ids, reply)));
        Ok(rows.await?.iter().filter_map(Entry::decode).collect())
    }

    /// The entry that holds the idempotency key `key`.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn find_key(
        &self,
        key: &str,
        deadline: Deadline,
    ) -> Result<Option<Entry>, JournalError> {
        if self.stats.is_empty() {
            return Ok(None);
        }
        let key = key.to_owned();
        let found = self.ask(deadline, |reply| Job::Read(Read::FindKey(key, reply)));
        found.await?.as_ref().map(readable).transpose()
    }

    /// The oldest entries, oldest first, as many as `batch` allows, without those that are pinned, or in quarantine
    /// for now. What cannot be read goes there.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn oldest(
        &self,
        batch: Batch,
        deadline: Deadline,
    ) -> Result<Vec<Entry>, JournalError> {
        if self.stats.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(deadline, |reply| Job::Read(Read::Oldest(batch, reply)));
        let rows = rows.await?.into_iter();
        let entries = rows.filter_map(|row| {
            let entry = Entry::decode(&row);
            if entry.is_none() {
                self.quarantine(row.0);
            }
            // Pinned since the thread looked.
            entry.filter(|entry| !self.is_pinned(entry.id))
        });
        Ok(entries.collect())
    }

    /// The first entries in this order, at most `limit`, and how many there are in all: with an end
    /// (`ended` is `Some(true)`), without (`Some(false)`), or either.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn page(
        &self,
        ended: Option<bool>,
        order: RequestOrder,
        limit: usize,
        deadline: Deadline,
    ) -> Result<Page, JournalError> {
        if self.stats.is_empty() {
            return Ok(Page::default());
        }
        let job = |reply| Job::Read(Read::Page(ended, order, limit, reply));
        let (total, rows) = self.ask(deadline, job).await?;
        let entries = rows.iter().filter_map(Entry::decode).collect();
        Ok(Page { total, entries })
    }

    /// Removes the entries `ids`, durably, and frees their keys. Those that are not there are not missed.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub(crate) async fn remove(
        &self,
        ids: &[Uuid],
        deadline: Deadline,
    ) -> Result<(), JournalError> {
        let ids = ids.to_vec();
        let job = |reply| Job::Write(Write::Remove(ids, reply));
        self.ask(deadline, job).await
    }

    /// While the guard lives, [`oldest`](Self::oldest) passes `id` over: a live call is at work on it.
    pub(crate) fn pin(&self, id: Uuid) -> Pin {
        self.pins.pin(id)
    }

    /// Whether a live call pins `id`.
    #[must_use]
    pub(crate) fn is_pinned(&self, id: Uuid) -> bool {
        self.pins.is_pinned(id)
    }

    /// For a while, and each time for longer, [`oldest`](Self::oldest) passes `id` over: Postgres does not take it. Returns
    /// how often that was so by now.
    pub(crate) fn quarantine(&self, id: Uuid) -> u32 {
        self.pins.quarantine(id, Instant::now())
    }

    /// Whether `id` was in quarantine and is still in the journal.
    #[must_use]
    pub(crate) fn is_quarantined(&self, id: Uuid) -> bool {
        self.pins.is_quarantined(id)
    }

    /// What the journal holds and has done. Waits for nothing.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        JournalStats {
            quarantined: self.pins.quarantined(),
            ..self.stats.snapshot()
        }
    }

    /// Has the thread do a job, and waits for the answer until `deadline`.
    async fn ask<T>(
        &self,
        deadline: Deadline,
        job: impl FnOnce(Reply<T>) -> Job,
    ) -> Result<T, JournalError> {
        if self.stats.cause().is_some() {
            return Err(unavailable(&self.stats));
        }
        let (reply, answer) = oneshot::channel();
        self.queue.send(job(reply))?;
        match timeout_at(deadline.instant(), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable(&self.stats)),
            Err(_) => Err(JournalError::TimedOut),
        }
    }
}

fn readable(row: &Row) -> Result<Entry, JournalError> {
    Entry::decode(row).ok_or_else(|| {
        JournalError::Unavailable(
            "the journal holds this entry in a form it cannot read".to_owned(),
        )
    })
}
