//! Where a promise becomes durable: in Postgres, or, while Postgres cannot record, in the journal.
//!
//! A request that was received in the journal also gets its end there: its row is not in Postgres yet, and recovery, which
//! brings it there, passes it over for as long as the call pins it.

use std::sync::Arc;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::NewRequest;
use super::decision::WorkOutcome;
use super::existing::{Completion, ExistingRequest, InsertOutcome, RequestState};
use super::location::{Received, RecordLocation, RecordedRequest};
use super::ports::{Owner, Requests, WorkResult};
use super::recent_keys::RecentKeys;
use crate::config::{OnDatabaseUnavailable, Policies};
use crate::current::Current;
use crate::journal::{Appended, Entry, Journal, JournalError};

/// Postgres and the journal as one place to record in.
pub(super) struct Recorder<R> {
    pub(super) requests: R,
    /// Asked for what it knows, also where the policies do without one by now.
    pub(super) journal: Option<Journal>,
    pub(super) policies: Arc<Current<Policies>>,
    pub(super) recent: RecentKeys,
}

impl<R: Requests> Recorder<R> {
    /// Records that `request` was received.
    ///
    /// # Errors
    /// What was missing, if it is recorded nowhere.
    pub(super) async fn receive(
        &self,
        request: &NewRequest,
        owner: Owner,
        deadline: Deadline,
    ) -> Result<Received, Degraded> {
        if let Some(known) = self.known_here(request, deadline).await? {
            return Ok(Received::Existing(known));
        }
        match self.requests.insert(request, owner, deadline).await {
            Ok(InsertOutcome::Inserted) => Ok(Received::Ours(RecordLocation::Database)),
            Ok(InsertOutcome::Existing(existing)) => {
                Ok(Received::Existing(RecordedRequest::in_database(existing)))
            }
            Ok(InsertOutcome::Rejected { error }) => Ok(Received::Rejected(error)),
            Err(database) => self.receive_in_journal(request, database, deadline).await,
        }
    }

    /// Records the result of `request`.
    pub(super) async fn complete(
        &self,
        request: &NewRequest,
        result: WorkResult,
        location: &RecordLocation,
        deadline: Deadline,
    ) -> WorkOutcome {
        let missing = match location {
            RecordLocation::Journal { missing, .. } => missing.clone(),
            RecordLocation::Database => {
                match self.requests.complete(request, &result, deadline).await {
                    Ok(Completion::Recorded) => return WorkOutcome::Recorded(result),
                    Ok(Completion::EndedOtherwise(state)) => {
                        return WorkOutcome::EndedOtherwise(state);
                    }
                    Err(database) => database,
                }
            }
        };
        self.complete_in_journal(request, result, missing, deadline)
            .await
    }

    /// Records the result of `request` where Postgres, which is `missing`, cannot.
    pub(super) async fn complete_in_journal(
        &self,
        request: &NewRequest,
        result: WorkResult,
        missing: Degraded,
        deadline: Deadline,
    ) -> WorkOutcome {
        let Some(journal) = self.journal_in_use() else {
            return WorkOutcome::Unrecorded(missing);
        };
        let mut entry = entry(request, Some(result.clone()));
        let mut appended = journal.append(&entry, self.within(deadline)).await;
        if let Ok(Appended::KeyTaken(_)) = appended {
            // By a request from before: the key goes to the first in Postgres, the result must be recorded all the same.
            entry.key = None;
            appended = journal.append(&entry, self.within(deadline)).await;
        }
        match appended {
            Ok(Appended::Stored) => {
                tracing::info!(request_id = %request.id, "result recorded in the journal");
                WorkOutcome::Journalled(result, missing)
            }
            // By recovery, which took the request up meanwhile: that is the result that will be in Postgres.
            Ok(Appended::EndedBefore(entry)) => {
                let first = entry.end;
                WorkOutcome::Journalled(first.unwrap_or(result), missing)
            }
            Ok(Appended::KeyTaken(_)) => WorkOutcome::Unrecorded(missing),
            Err(error) => WorkOutcome::Unrecorded(without(missing, &error)),
        }
    }

    /// Gives `request` up to recovery. An unreachable database keeps the lease, which ends by itself.
    pub(super) async fn release(
        &self,
        request: &NewRequest,
        location: RecordLocation,
        deadline: Deadline,
    ) {
        if matches!(location, RecordLocation::Database) {
            let _ = self.requests.release(request, deadline).await;
        }
    }

    /// How far the request `id` is by now, and where it is recorded; `None`: nowhere.
    ///
    /// # Errors
    /// What was missing, if that cannot be told.
    pub(super) async fn state_of(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<RecordedRequest>, Degraded> {
        if let Some(journal) = &self.journal
            && let Ok(Some(entry)) = journal.find(id, self.within(deadline)).await
        {
            let existing = ExistingRequest {
                id,
                same_body: true,
                state: state(journal, entry),
            };
            return Ok(Some(self.in_journal(existing)));
        }
        let existing = self.requests.state_of(id, deadline).await?;
        Ok(existing.map(RecordedRequest::in_database))
    }

    pub(super) async fn receive_in_journal(
        &self,
        request: &NewRequest,
        missing: Degraded,
        deadline: Deadline,
    ) -> Result<Received, Degraded> {
        let Some(journal) = self.journal_in_use() else {
            return Err(missing);
        };
        // Pinned before it can be seen: recovery must not take up what we are at work on.
        let _pin = journal.pin(request.id);
        let entry = entry(request, None);
        match journal.append(&entry, self.within(deadline)).await {
            Ok(Appended::Stored | Appended::EndedBefore(_)) => {
                tracing::info!(request_id = %request.id, "request recorded in the journal");
                Ok(Received::Ours(RecordLocation::Journal { missing, _pin }))
            }
            Ok(Appended::KeyTaken(entry)) => {
                let existing = known(journal, *entry, request);
                Ok(Received::Existing(self.in_journal(existing)))
            }
            Err(error) => Err(without(missing, &error)),
        }
    }

    /// The journal, where it stands in for Postgres.
    fn journal_in_use(&self) -> Option<&Journal> {
        let on_unavailable = self.policies.get().database.on_unavailable;
        let journal = self.journal.as_ref();
        journal.filter(|_| on_unavailable == OnDatabaseUnavailable::Journal)
    }

    pub(super) fn in_journal(&self, existing: ExistingRequest) -> RecordedRequest {
        RecordedRequest {
            existing,
            recorded_in: RecordedIn::Journal,
            missing: Some(self.requests.unavailability()),
        }
    }

    pub(super) fn within(&self, deadline: Deadline) -> Deadline {
        deadline.earlier(Deadline::after(self.policies.get().journal.deadline))
    }
}

pub(super) fn entry(request: &NewRequest, end: Option<WorkResult>) -> Entry {
    Entry {
        id: request.id,
        key: request.key.clone(),
        payload: request.payload.clone(),
        received_at: request.received_at,
        end,
    }
}

pub(super) fn known(journal: &Journal, entry: Entry, request: &NewRequest) -> ExistingRequest {
    ExistingRequest {
        id: entry.id,
        same_body: entry.payload.as_deref().map(RawValue::get) == request.body(),
        state: state(journal, entry),
    }
}

fn state(journal: &Journal, entry: Entry) -> RequestState {
    match entry.end {
        Some(end) => RequestState::Done(end),
        None if journal.is_pinned(entry.id) => RequestState::Running,
        None => RequestState::Waiting,
    }
}

/// The database is missing, and the journal cannot stand in for it.
pub(super) fn without(missing: Degraded, error: &JournalError) -> Degraded {
    tracing::error!(%error, "the journal cannot record");
    Degraded {
        detail: format!("{}, and {error}", missing.detail),
        ..missing
    }
}
