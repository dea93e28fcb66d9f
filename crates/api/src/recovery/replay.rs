//! The journal's entries go to Postgres, oldest first, and are removed once they are committed there.
//!
//! Recording them again is harmless, so a crash between commit and removal costs nothing. What Postgres refuses for good
//! becomes a failed request, and later entries proceed.

use std::time::Duration;

use holdfast_policy::Deadline;
use tokio::time::Instant;
use uuid::Uuid;

use super::Recovery;
use super::progress::{Count, Progress};
use super::store::{RecoveryStore, Replayed};
use crate::journal::{Batch, Entry, Journal};

const MOST_ENTRIES: usize = 100;
/// Well within what one statement does before its timeout.
const BATCH_BYTES: usize = 512 * 1024;

/// Something was missing; try again after a pause.
pub(super) struct NotNow;

/// The way from the journal to Postgres.
pub(super) struct Replay {
    journal: Journal,
    store: RecoveryStore,
    progress: Progress,
    journal_deadline: Duration,
    /// In the next batch.
    entries: usize,
}

impl Replay {
    /// The way for the journal of `recovery`.
    pub(super) fn new(recovery: &Recovery, journal: Journal) -> Self {
        Self {
            journal,
            store: recovery.store.clone(),
            progress: recovery.progress.clone(),
            journal_deadline: recovery.rules.journal_deadline,
            entries: MOST_ENTRIES,
        }
    }

    /// Brings over as many entries as the journal holds now, but for what live calls are at work on.
    pub(super) async fn run(&mut self) -> Result<(), NotNow> {
        let mut left = self.journal.depth().entries;
        while left > 0 && self.store.may_call() {
            let entries = self.batch().await?;
            if entries.is_empty() {
                break;
            }
            left = left.saturating_sub(entries.len() as u64);
            match self.store.replay(&entries).await {
                Ok(Replayed::All) => self.taken(&entries).await?,
                Ok(Replayed::RefusedForGood(_)) => self.one_by_one(&entries).await?,
                Err(_) => {
                    // It may have been too much for one statement.
                    self.entries = (entries.len() / 2).max(1);
                    return Err(NotNow);
                }
            }
            self.entries = (self.entries * 2).min(MOST_ENTRIES);
        }
        Ok(())
    }

    async fn batch(&self) -> Result<Vec<Entry>, NotNow> {
        let batch = Batch {
            entries: self.entries,
            bytes: BATCH_BYTES,
        };
        let entries = self.journal.oldest(batch, self.deadline()).await;
        entries.map_err(|error| {
            tracing::warn!(%error, "the journal cannot be read");
            NotNow
        })
    }

    async fn one_by_one(&self, entries: &[Entry]) -> Result<(), NotNow> {
        for entry in entries {
            let alone = std::slice::from_ref(entry);
            match self.store.replay(alone).await {
                Ok(Replayed::All) => self.taken(alone).await?,
                Ok(Replayed::RefusedForGood(error)) => self.refused(entry, &error).await?,
                Err(_) => return Err(NotNow),
            }
        }
        Ok(())
    }

    async fn refused(&self, entry: &Entry, error: &str) -> Result<(), NotNow> {
        tracing::error!(request_id = %entry.id, error, "Postgres refuses this entry for good: failed");
        match self.store.refuse(entry, error).await {
            Ok(Replayed::All) => {
                self.progress.count(Count::Failed, 1, Instant::now());
                self.remove(&[entry.id]).await
            }
            // Not even that it failed can be recorded: it stays where it is, out of the others' way.
            Ok(Replayed::RefusedForGood(error)) => {
                tracing::error!(request_id = %entry.id, error, "set aside in the journal until the next start");
                self.journal.set_aside(entry.id);
                Ok(())
            }
            Err(_) => Err(NotNow),
        }
    }

    async fn taken(&self, entries: &[Entry]) -> Result<(), NotNow> {
        for entry in entries {
            tracing::info!(request_id = %entry.id, done = entry.end.is_some(), "brought from the journal to Postgres");
        }
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        self.remove(&ids).await?;
        self.progress
            .count(Count::Replayed, ids.len() as u64, Instant::now());
        Ok(())
    }

    async fn remove(&self, ids: &[Uuid]) -> Result<(), NotNow> {
        self.journal
            .remove(ids, self.deadline())
            .await
            .map_err(|error| {
                tracing::warn!(%error, "what is in Postgres cannot be removed from the journal yet");
                NotNow
            })
    }

    /// Nobody waits for it: several times what a live call has.
    fn deadline(&self) -> Deadline {
        Deadline::after(self.journal_deadline * 8)
    }
}
