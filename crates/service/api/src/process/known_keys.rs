//! What stands under an `Idempotency-Key` already: in the journal, in Postgres, or in the memory of what this replica answered.

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};

use super::NewRequest;
use super::decision::Worked;
use super::existing::{ExistingRequest, RequestState};
use super::location::{Known, RecordLocation};
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
        if let Some(known) = self.known_lately(request, deadline).await {
            return Ok(Some(known));
        }
        let existing = self.requests.existing_under(key, request.body(), deadline);
        Ok(existing.await.ok().flatten().map(Known::in_database))
    }

    /// What is known under the key where this replica answered it lately, which Postgres has the word on while it can be asked. A
    /// standby that lagged when it took over may lack what was told: then it is put back.
    pub(super) async fn known_lately(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Option<Known> {
        let keep = self.policies.get().idempotency.keep;
        let (told, key) = (self.recent.find(request, keep)?, request.key.as_ref()?);
        let there = self.requests.existing_under(key, request.body(), deadline);
        let there = match there.await {
            Ok(there) => there,
            Err(missing) => return Some(told_before(told, missing)),
        };
        let told_more = |there: &ExistingRequest| {
            let open = matches!(there.state, RequestState::Running | RequestState::Waiting);
            there.id == told.id && open && matches!(told.state, RequestState::Done(_))
        };
        match there {
            Some(there) if !told_more(&there) => Some(Known::in_database(there)),
            _ if !told.same_body => Some(Known::in_database(told)),
            _ => Some(self.put_back(request, told, deadline).await),
        }
    }

    /// Records anew what was `told` of a request that came as this one does now.
    async fn put_back(
        &self,
        request: &NewRequest,
        mut told: ExistingRequest,
        deadline: Deadline,
    ) -> Known {
        tracing::warn!(request_id = %told.id, "Postgres lacks what was told of this request: it is recorded anew");
        let lost = NewRequest {
            id: told.id,
            received_at: received_at(told.id).unwrap_or(request.received_at),
            ..request.clone()
        };
        let missing = match told.state.clone() {
            RequestState::Done(response) => {
                let result = WorkResult {
                    response,
                    completed_at: request.received_at,
                    attempts: 1,
                };
                let recorded = self.complete(&lost, result, &RecordLocation::Database, deadline);
                match recorded.await {
                    Worked::Journalled(..) => return self.in_journal(told),
                    Worked::Unrecorded(missing) => Some(missing),
                    Worked::EndedOtherwise(state) => {
                        told.state = state;
                        None
                    }
                    Worked::Recorded(_) | Worked::Unavailable(_) => None,
                }
            }
            RequestState::Running | RequestState::Waiting => {
                let inserted = self.requests.insert(&lost, Owner::Recovery, deadline);
                inserted.await.err()
            }
            // Nothing is owed to anybody.
            RequestState::Failed(_) | RequestState::Cancelled => None,
        };
        match missing {
            Some(missing) => told_before(told, missing),
            None => Known::in_database(told),
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
