//! What stands under an `Idempotency-Key` already: in the journal, in Postgres, or in the memory of what this replica answered.

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};

use super::NewRequest;
use super::decision::Worked;
use super::existing::{ExistingRequest, InsertOutcome, RequestState};
use super::location::{Known, Received, RecordLocation};
use super::ports::{Owner, Requests, WorkResult};
use super::recent_keys::received_at;
use super::recorder::{Recorder, known, without};

impl<R: Requests> Recorder<R> {
    /// What is known under the key of `request`, if it has one.
    ///
    /// # Errors
    /// When the journal may hold the key and cannot be read.
    pub(super) async fn known(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<Known>, Degraded> {
        let Some(key) = &request.key else {
            return Ok(None);
        };
        if let Some(known) = self.known_to_journal(request, deadline).await? {
            return Ok(Some(known));
        }
        if let Some(known) = self.known_lately(request, deadline).await? {
            return Ok(Some(known));
        }
        let existing = self.requests.existing_under(key, request.body(), deadline);
        Ok(existing.await.ok().flatten().map(Known::in_database))
    }

    /// What is known under the key where this replica answered it lately, which Postgres has the word on while it can be asked. A
    /// standby that lagged when it took over may lack what was told: then it is put back.
    ///
    /// # Errors
    /// What was missing, if it could be put back nowhere.
    pub(super) async fn known_lately(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<Known>, Degraded> {
        let keep = self.policies.get().idempotency.keep;
        let Some((told, key)) = self.recent.find(request, keep).zip(request.key.as_ref()) else {
            return Ok(None);
        };
        let there = self.requests.existing_under(key, request.body(), deadline);
        let there = match there.await {
            Ok(there) => there,
            Err(missing) => return Ok(Some(told_before(told, missing))),
        };
        let told_more = |there: &ExistingRequest| {
            let open = matches!(there.state, RequestState::Running | RequestState::Waiting);
            there.id == told.id && open && matches!(told.state, RequestState::Done(_))
        };
        let known = match there {
            Some(there) if !told_more(&there) => Known::in_database(there),
            _ if !told.same_body => Known::in_database(told),
            _ => self.put_back(request, told, deadline).await?,
        };
        Ok(Some(known))
    }

    /// Records anew what was `told` of a request that came as this one does now.
    async fn put_back(
        &self,
        request: &NewRequest,
        mut told: ExistingRequest,
        deadline: Deadline,
    ) -> Result<Known, Degraded> {
        let lost = NewRequest {
            id: told.id,
            received_at: received_at(told.id).unwrap_or(request.received_at),
            ..request.clone()
        };
        match told.state.clone() {
            RequestState::Done(response) => {
                tracing::warn!(request_id = %told.id, "Postgres lacks a result that was told: it is recorded anew");
                let result = WorkResult {
                    response,
                    completed_at: request.received_at,
                    attempts: 1,
                };
                let recorded = self.complete(&lost, result, &RecordLocation::Database, deadline);
                match recorded.await {
                    Worked::Journalled(..) => return Ok(self.in_journal(told)),
                    Worked::Unrecorded(missing) | Worked::Unavailable(missing) => {
                        return Err(missing);
                    }
                    Worked::EndedOtherwise(state) => told.state = state,
                    Worked::Recorded(_) => {}
                }
                Ok(Known::in_database(told))
            }
            RequestState::Running | RequestState::Waiting => {
                tracing::warn!(request_id = %told.id, "Postgres lacks a request that was accepted: it is recorded anew");
                self.owe_again(&lost, told, deadline).await
            }
            // Nothing is owed to anybody.
            RequestState::Failed(_) | RequestState::Cancelled => Ok(Known::in_database(told)),
        }
    }

    async fn owe_again(
        &self,
        lost: &NewRequest,
        told: ExistingRequest,
        deadline: Deadline,
    ) -> Result<Known, Degraded> {
        let missing = match self.requests.insert(lost, Owner::Recovery, deadline).await {
            Ok(InsertOutcome::Inserted) => return Ok(Known::in_database(told)),
            // The key is another one's by now.
            Ok(InsertOutcome::Existing(other)) => return Ok(Known::in_database(other)),
            Ok(InsertOutcome::Rejected { .. }) => self.requests.unavailability(),
            Err(missing) => missing,
        };
        match self.receive_in_journal(lost, missing, deadline).await? {
            Received::Existing(known) => Ok(known),
            Received::Ours(_) | Received::Rejected(_) => Ok(self.in_journal(told)),
        }
    }

    /// # Errors
    /// When the journal may hold the key and cannot be read: then nothing is accepted under it anew.
    pub(super) async fn known_to_journal(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<Known>, Degraded> {
        let Some((journal, key)) = self.journal.as_ref().zip(request.key.as_ref()) else {
            return Ok(None);
        };
        match journal.find_key(key, self.within(deadline)).await {
            Ok(entry) => Ok(entry
                .map(|entry| known(journal, entry, request))
                .map(|existing| self.in_journal(existing))),
            Err(error) => {
                tracing::warn!(%error, "whether the journal knows this key cannot be told");
                Err(without(self.requests.unavailability(), &error))
            }
        }
    }
}

/// What this replica told, while Postgres cannot be asked.
fn told_before(existing: ExistingRequest, missing: Degraded) -> Known {
    Known {
        existing,
        recorded_in: RecordedIn::Database,
        missing: Some(missing),
    }
}
