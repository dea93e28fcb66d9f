//! Where the results of open work go, and what the journal has of them already.

use holdfast_policy::Deadline;

use super::Recovery;
use super::attribution::{MAX_PAUSE, REQUEUE_DELAY};
use crate::journal::{Appended, Entry};
use crate::process::WorkResult;
use crate::store::{Claimed, CompletedOpen, OpenRequest, Replayed, Table};
use crate::worker_client::WorkClient;

/// Where a result went.
pub(super) enum Recorded {
    In(&'static str),
    /// An operator gave the request up meanwhile.
    Cancelled,
    /// The request has failed instead.
    Refused,
    Nowhere,
}

impl<T: Table, W: WorkClient> Recovery<T, W> {
    /// Whether this replica's journal has the request, so that its work is not to be done again: a result goes to Postgres, and
    /// what a live call has in hand, or what cannot be told, is given back.
    pub(super) async fn is_known_to_journal(&self, claimed: Claimed) -> bool {
        let Some(journal) = &self.journal else {
            return false;
        };
        let id = claimed.id;
        let pause = match journal.find(id, self.journal_deadline()).await {
            Ok(Some(entry)) if entry.end.is_some() => {
                if self.record_whole(&entry).await {
                    tracing::info!(request_id = %id, "its result was in the journal");
                    return true;
                }
                // It stays there until Postgres takes it.
                MAX_PAUSE
            }
            Ok(_) if !journal.is_pinned(id) => return false,
            Ok(_) | Err(_) => REQUEUE_DELAY,
        };
        let _ = self.store.give_back(claimed, pause).await;
        true
    }

    fn journal_deadline(&self) -> Deadline {
        Deadline::after(self.rules.journal_deadline)
    }

    /// In the journal if Postgres cannot: the work is done and need not be done again. A result that Postgres refuses fails its
    /// request, as a live call's does.
    pub(super) async fn record(&self, open: OpenRequest, result: WorkResult) -> Recorded {
        let id = open.claimed.id;
        let completed = self.store.complete(id, &result).await;
        match &completed {
            Ok(CompletedOpen::Recorded) => return Recorded::In("Postgres"),
            Ok(CompletedOpen::Cancelled) => return Recorded::Cancelled,
            Ok(CompletedOpen::Refused(error)) if self.store.give_up(id, error).await.is_ok() => {
                tracing::error!(request_id = %id, error, "done later, and Postgres refuses the result: failed");
                return Recorded::Refused;
            }
            Ok(CompletedOpen::Refused(_) | CompletedOpen::Untouched) | Err(_) => {}
        }
        let mut entry = Entry {
            id,
            key: open.key,
            payload: open.payload,
            received_at: open.received_at,
            end: Some(result),
        };
        // Its row is gone: recorded anew, whole. Or it ended otherwise: the two ends meet.
        if completed == Ok(CompletedOpen::Untouched) && self.record_whole(&entry).await {
            return Recorded::In("Postgres");
        }
        let Some(journal) = &self.journal else {
            return Recorded::Nowhere;
        };
        let mut appended = journal.append(&entry, self.journal_deadline()).await;
        if let Ok(Appended::KeyTaken(_)) = appended {
            // By a later request: the key goes to the first in Postgres, the result must be recorded all the same.
            entry.key = None;
            appended = journal.append(&entry, self.journal_deadline()).await;
        }
        match appended {
            Ok(Appended::Stored | Appended::EndedBefore(_)) => Recorded::In("the journal"),
            Ok(Appended::KeyTaken(_)) => Recorded::Nowhere,
            Err(error) => {
                tracing::error!(request_id = %id, %error, "done later, recorded nowhere: will be done again");
                Recorded::Nowhere
            }
        }
    }

    async fn record_whole(&self, entry: &Entry) -> bool {
        match self.store.replay(std::slice::from_ref(entry)).await {
            Ok(Replayed::Recorded { conflicts }) => {
                self.progress.conflicts(&conflicts);
                true
            }
            _ => false,
        }
    }
}
