//! Where a promise becomes durable: in Postgres, or, while Postgres cannot record, in the journal.
//!
//! A request that was received in the journal also gets its end there: its row is not in Postgres yet, and recovery, which
//! brings it there, passes it over for as long as the call holds it.

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Reason, RecordedIn};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::NewRequest;
use super::known::{Known, Receipt, Standing};
use super::ports::{Requests, Worked};
use crate::journal::{Appended, End, Entry, Hold, Journal, JournalError};

/// Postgres and the journal as one place to record in.
pub(super) struct Recorder<R> {
    pub(super) requests: R,
    /// `None`: the policies do without one.
    pub(super) journal: Option<Journal>,
    /// Time for one record in the journal.
    pub(super) journal_deadline: Duration,
}

/// What became of a request that was to be recorded.
pub(super) enum Received {
    /// It is recorded there and its work is ours.
    Ours(Place),
    /// Its key stands for another one already, which is recorded there.
    Known(Known, RecordedIn),
}

/// Where a request of ours is recorded.
pub(super) enum Place {
    /// In Postgres, under a lease.
    Database,
    /// In the journal, held.
    Journal {
        /// Why it is not in Postgres.
        missing: Degraded,
        _hold: Hold,
    },
}

impl Place {
    pub(super) fn recorded_in(&self) -> RecordedIn {
        match self {
            Self::Database => RecordedIn::Database,
            Self::Journal { .. } => RecordedIn::Journal,
        }
    }
}

impl<R: Requests> Recorder<R> {
    /// Records that `request` was received.
    ///
    /// # Errors
    /// What was missing, if it is recorded nowhere.
    pub(super) async fn receive(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Received, Degraded> {
        // Keys that this replica took while it was cut off from Postgres.
        if let Some(known) = self.known_to_journal(request, deadline).await {
            return Ok(Received::Known(known, RecordedIn::Journal));
        }
        match self.requests.receive(request, deadline).await {
            Ok(Receipt::Ours) => Ok(Received::Ours(Place::Database)),
            Ok(Receipt::Known(known)) => Ok(Received::Known(known, RecordedIn::Database)),
            // Nor would it take it from the journal.
            Ok(Receipt::Unfit) => Err(unfit(self.requests.absence())),
            Err(database) => self.receive_in_journal(request, database, deadline).await,
        }
    }

    /// Records the result of `request`; returns where, and what was missing.
    ///
    /// # Errors
    /// What was missing, if the result is recorded nowhere. The request itself still is.
    pub(super) async fn complete(
        &self,
        request: &NewRequest,
        worked: &Worked,
        place: &Place,
        deadline: Deadline,
    ) -> Result<(RecordedIn, Option<Degraded>), Degraded> {
        let missing = match place {
            Place::Journal { missing, .. } => missing.clone(),
            Place::Database => match self.requests.complete(request.id, worked, deadline).await {
                Ok(()) => return Ok((RecordedIn::Database, None)),
                Err(database) => database,
            },
        };
        let Some(journal) = &self.journal else {
            return Err(missing);
        };
        let end = End {
            response: worked.response.clone(),
            attempts: worked.attempts,
            completed_at: Timestamp::now(),
        };
        let mut entry = entry(request, Some(end));
        let mut appended = journal.append(&entry, self.within(deadline)).await;
        if let Ok(Appended::KeyTaken(_)) = appended {
            // By a request from before: the key goes to whoever is in Postgres, the result must be recorded all the same.
            entry.key = None;
            appended = journal.append(&entry, self.within(deadline)).await;
        }
        match appended {
            Ok(Appended::Stored) => {
                tracing::info!(request_id = %request.id, "result recorded in the journal");
                Ok((RecordedIn::Journal, Some(missing)))
            }
            Ok(Appended::KeyTaken(_)) => Err(missing),
            Err(error) => Err(without(missing, &error)),
        }
    }

    /// Gives `request` up to recovery. An unreachable database keeps the lease, which ends by itself.
    pub(super) async fn release(&self, request: &NewRequest, place: Place, deadline: Deadline) {
        if matches!(place, Place::Database) {
            let _ = self.requests.release(request.id, deadline).await;
        }
        tracing::info!(
            request_id = %request.id,
            recorded_in = ?place.recorded_in(),
            "accepted, to be done later"
        );
    }

    /// How far the request `id` is by now, and where it is recorded; `None`: nowhere.
    ///
    /// # Errors
    /// What was missing, if that cannot be told.
    pub(super) async fn look(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<(Known, RecordedIn)>, Degraded> {
        if let Some(journal) = &self.journal
            && let Ok(Some(entry)) = journal.find(id, self.within(deadline)).await
        {
            let known = Known {
                id,
                same_body: true,
                standing: standing(journal, entry),
            };
            return Ok(Some((known, RecordedIn::Journal)));
        }
        let known = self.requests.look(id, deadline).await?;
        Ok(known.map(|known| (known, RecordedIn::Database)))
    }

    async fn receive_in_journal(
        &self,
        request: &NewRequest,
        missing: Degraded,
        deadline: Deadline,
    ) -> Result<Received, Degraded> {
        let Some(journal) = &self.journal else {
            return Err(missing);
        };
        // Held before it can be seen: recovery must not take up what we are at work on.
        let _hold = journal.hold(request.id);
        let entry = entry(request, None);
        match journal.append(&entry, self.within(deadline)).await {
            Ok(Appended::Stored) => {
                tracing::info!(request_id = %request.id, "request recorded in the journal");
                Ok(Received::Ours(Place::Journal { missing, _hold }))
            }
            Ok(Appended::KeyTaken(entry)) => {
                let known = known(journal, *entry, request);
                Ok(Received::Known(known, RecordedIn::Journal))
            }
            Err(error) => Err(without(missing, &error)),
        }
    }

    async fn known_to_journal(&self, request: &NewRequest, deadline: Deadline) -> Option<Known> {
        let (journal, key) = self.journal.as_ref().zip(request.key.as_ref())?;
        match journal.find_key(key, self.within(deadline)).await {
            Ok(entry) => entry.map(|entry| known(journal, entry, request)),
            // Postgres may be well, and then a journal in trouble is no reason to refuse.
            Err(error) => {
                tracing::warn!(%error, "whether the journal knows this key cannot be told");
                None
            }
        }
    }

    fn within(&self, deadline: Deadline) -> Deadline {
        deadline.earlier(Deadline::after(self.journal_deadline))
    }
}

fn entry(request: &NewRequest, end: Option<End>) -> Entry {
    Entry {
        id: request.id,
        key: request.key.clone(),
        payload: request.payload.clone(),
        received_at: request.received_at,
        end,
    }
}

fn known(journal: &Journal, entry: Entry, request: &NewRequest) -> Known {
    Known {
        id: entry.id,
        same_body: entry.payload.as_deref().map(RawValue::get) == request.body(),
        standing: standing(journal, entry),
    }
}

fn standing(journal: &Journal, entry: Entry) -> Standing {
    match entry.end {
        Some(end) => Standing::Done(end.response),
        None if journal.is_held(entry.id) => Standing::Running,
        None => Standing::Waiting,
    }
}

/// The database is there, and says no.
fn unfit(database: Degraded) -> Degraded {
    Degraded {
        reason: Reason::BadStatus,
        detail: "the database refuses this request for good: it breaks a rule of its table"
            .to_owned(),
        attempts: 1,
        ..database
    }
}

/// The database is missing, and the journal cannot stand in for it.
fn without(missing: Degraded, error: &JournalError) -> Degraded {
    tracing::error!(%error, "the journal cannot record");
    Degraded {
        detail: format!("{}, and {error}", missing.detail),
        ..missing
    }
}
