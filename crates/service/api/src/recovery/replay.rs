//! The journal's entries go to Postgres, oldest first, and are removed once they are committed there.
//!
//! Recording them again is harmless, so a crash between commit and removal costs nothing. A batch that Postgres refuses is
//! bisected until the entry it refuses stands alone. That one holds nobody back: it goes into quarantine, is tried again
//! after pauses that grow, and waits there for whoever ends his lock or mends Postgres. One with a result waits for as long as
//! that takes, and its client reads the result meanwhile: it was told, so it does not turn into a failure. One without becomes
//! a failed request: at once where it is refused for its data, else once it was refused often, and once more after the same
//! statement worked without it.

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::Reason;
use tokio::time::Instant;
use uuid::Uuid;

use super::Recovery;
use super::batch::AdaptiveBatch;
use super::journal_gate::Pass;
use super::progress::{Count, Progress};
use super::store::RecoveryStore;
use crate::journal::{Batch, Entry, Journal};
use crate::store::{Refusal, RefusalKind, Replayed, Table};
use crate::worker_client::WorkClient;

const MAX_ENTRIES: u32 = 100;
/// Well within what one statement does before its timeout.
const BATCH_BYTES: usize = 512 * 1024;
/// Refused so often, an entry fails also for a reason that somebody might have mended: seven seconds after the first time.
const MAX_REFUSALS: u32 = 4;
/// As often in a row the oldest entry may be answered with what is said to be the server's trouble, while live calls see none.
const MAX_UNEXPLAINED: u32 = 4;

/// Something was missing; try again after a pause.
struct NotNow;

/// The way from the journal to Postgres.
pub(super) struct Replay<T> {
    journal: Journal,
    store: RecoveryStore<T>,
    progress: Progress,
    journal_deadline: Duration,
    /// In the next batch.
    entries: AdaptiveBatch,
    /// The entry by which the last pass ended for a reason that may be its own, and how many did so in a row.
    unexplained: Option<(Uuid, u32)>,
}

impl<T: Table> Replay<T> {
    /// The way for the journal of `recovery`.
    pub(super) fn new(recovery: &Recovery<T, impl WorkClient>, journal: Journal) -> Self {
        Self {
            journal,
            store: recovery.store.clone(),
            progress: recovery.progress.clone(),
            journal_deadline: recovery.rules.journal_deadline,
            entries: AdaptiveBatch::new(MAX_ENTRIES),
            unexplained: None,
        }
    }

    /// Brings over as many entries as the journal holds now, but for what live calls are at work on.
    pub(super) async fn run(&mut self) -> Pass {
        self.pass().await.unwrap_or(Pass::Failed)
    }

    async fn pass(&mut self) -> Result<Pass, NotNow> {
        let stats = self.journal.stats();
        if !stats.available {
            return Err(NotNow);
        }
        let mut left = stats.entries;
        while left > 0 {
            if !self.store.may_call() {
                return Ok(Pass::NotTried);
            }
            let entries = self.batch().await?;
            if entries.is_empty() {
                break;
            }
            left = left.saturating_sub(entries.len() as u64);
            let known = |entry: &Entry| self.journal.is_quarantined(entry.id);
            let (quarantined, fresh): (Vec<_>, Vec<_>) = entries.into_iter().partition(known);
            self.bring(&fresh).await?;
            // One by one: what was refused before must not take others with it again.
            for entry in &quarantined {
                self.bring(std::slice::from_ref(entry)).await?;
            }
        }
        Ok(Pass::Over)
    }

    async fn batch(&self) -> Result<Vec<Entry>, NotNow> {
        let batch = Batch {
            entries: self.entries.size() as usize,
            bytes: BATCH_BYTES,
        };
        let entries = self.journal.oldest(batch, self.deadline()).await;
        entries.map_err(|error| {
            tracing::warn!(%error, "the journal cannot be read");
            NotNow
        })
    }

    /// Brings `entries` over, and halves of them where one is refused.
    async fn bring(&mut self, entries: &[Entry]) -> Result<(), NotNow> {
        let mut parts = vec![entries];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match (self.store.replay(part).await, part) {
                (Ok(Replayed::Recorded { conflicts }), _) => {
                    self.entries.went_well();
                    self.recorded(part, &conflicts).await?;
                }
                (Ok(Replayed::Refused(refusal)), [entry]) => {
                    // On the heap: the way on is long, and what is refused is rare.
                    Box::pin(self.refused(entry, &refusal)).await?;
                }
                (Ok(Replayed::Refused(_)), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                (Err(missing), _) if missing.reason == Reason::AttemptTimeout => {
                    self.entries.timed_out();
                    if let [entry] = part {
                        self.quarantine(entry, "recording it does not end in time");
                    }
                    return Err(NotNow);
                }
                (Err(missing), _) => {
                    self.failed(part, missing.reason);
                    return Err(NotNow);
                }
            }
        }
        Ok(())
    }

    /// Of `part` none was recorded, for a `reason` that is not the entries'. Where live calls are well and it is no lost
    /// connection, that may be wrong: then less is tried, and one entry that fares so again and again holds nobody back.
    fn failed(&mut self, part: &[Entry], reason: Reason) {
        if !matches!(reason, Reason::BadStatus | Reason::BadResponse) || !self.store.may_call() {
            return;
        }
        self.entries.timed_out();
        let [entry] = part else {
            tracing::warn!(
                reason = reason.as_str(),
                entries = part.len(),
                "the journal's entries could not be brought over: fewer at once"
            );
            return;
        };
        let times = match self.unexplained {
            Some((id, times)) if id == entry.id => times + 1,
            _ => 1,
        };
        self.unexplained = Some((entry.id, times));
        if times >= MAX_UNEXPLAINED || self.journal.is_quarantined(entry.id) {
            self.quarantine(entry, "the database refuses it again and again");
        }
    }

    async fn refused(&self, entry: &Entry, refusal: &Refusal) -> Result<(), NotNow> {
        let stays = entry.end.is_some() || refusal.kind == RefusalKind::Lock;
        if !stays && refusal.kind == RefusalKind::Data {
            return self.fail(entry, refusal).await;
        }
        let times = self.quarantine(entry, &refusal.error);
        if stays || times < MAX_REFUSALS || !self.works_for_others().await {
            return Ok(());
        }
        self.try_last(entry).await
    }

    /// Whether the statement itself is taken: tables and rights are there.
    async fn works_for_others(&self) -> bool {
        matches!(self.store.replay(&[]).await, Ok(Replayed::Recorded { .. }))
    }

    /// Somebody may have mended what was the reason after `entry` was refused and before the statement was seen to work.
    async fn try_last(&self, entry: &Entry) -> Result<(), NotNow> {
        match self.store.replay(std::slice::from_ref(entry)).await {
            Ok(Replayed::Recorded { conflicts }) => {
                self.recorded(std::slice::from_ref(entry), &conflicts).await
            }
            // It is in quarantine already.
            Ok(Replayed::Refused(refusal)) if refusal.kind == RefusalKind::Lock => Ok(()),
            Ok(Replayed::Refused(refusal)) => self.fail(entry, &refusal).await,
            Err(_) => Err(NotNow),
        }
    }

    async fn fail(&self, entry: &Entry, refusal: &Refusal) -> Result<(), NotNow> {
        let error = &refusal.error;
        tracing::error!(request_id = %entry.id, error, "Postgres refuses this entry for good: failed");
        match self.store.refuse(entry, error).await {
            Ok(Replayed::Recorded { .. }) => {
                self.progress.count(Count::Failed, 1, Instant::now());
                self.remove(&[entry.id]).await
            }
            // Not even that it failed can be recorded.
            Ok(Replayed::Refused(Refusal { error, .. })) => {
                if refusal.kind == RefusalKind::Data {
                    self.quarantine(entry, &error);
                }
                Ok(())
            }
            Err(_) => Err(NotNow),
        }
    }

    fn quarantine(&self, entry: &Entry, error: &str) -> u32 {
        let times = self.journal.quarantine(entry.id);
        tracing::error!(request_id = %entry.id, error, times, "quarantined in the journal, to be tried again later");
        times
    }

    async fn recorded(&self, entries: &[Entry], conflicts: &[Uuid]) -> Result<(), NotNow> {
        for entry in entries {
            tracing::info!(request_id = %entry.id, done = entry.end.is_some(), "brought from the journal to Postgres");
        }
        self.progress.conflicts(conflicts);
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
