//! What stands under an `Idempotency-Key` already: in the journal, in Postgres, or in the memory of what this replica answered.

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};

use super::NewRequest;
use super::decision::WorkOutcome;
use super::existing::{ExistingRequest, RequestState};
use super::location::{Received, RecordedRequest};
use super::ports::{Requests, WorkResult};
use super::recent_keys::received_at;
use super::recorder::{Recorder, entry, known, without};

impl<R: Requests> Recorder<R> {
    /// What is known under the key of `request`, if it has one.
    ///
    /// # Errors
    /// When the journal may hold the key and cannot be read.
    pub(super) async fn known(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<RecordedRequest>, Degraded> {
        let Some(key) = &request.key else {
            return Ok(None);
        };
        if let Some(known) = self.known_here(request, deadline).await? {
            return Ok(Some(known));
        }
        let existing = self.requests.existing_under(key, request.body(), deadline);
        Ok(existing
            .await
            .ok()
            .flatten()
            .map(RecordedRequest::in_database))
    }

    /// What is known under the key where this replica's journal has it, or its client was told lately. On the latter Postgres
    /// has the word while it can be asked, unless that breaks a promise: a standby that lagged when it took over may lack what
    /// was told, or have come to another end. Then it is put back.
    ///
    /// # Errors
    /// When the journal may hold the key and cannot be read, and what was missing where nothing keeps what was told.
    pub(super) async fn known_here(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<RecordedRequest>, Degraded> {
        let journalled = self.known_to_journal(request, deadline).await?;
        let keep = self.policies.get().idempotency.keep;
        let Some((told, key)) = self.recent.find(request, keep).zip(request.key.as_ref()) else {
            return Ok(journalled);
        };
        let there = match journalled {
            Some(known) => Some(known),
            None => match self.existing_under(key, request, deadline).await {
                Ok(there) => there,
                Err(missing) => return Ok(Some(told_before(told, missing))),
            },
        };
        let known = match there {
            Some(there) if keeps(&there.existing, &told) || !told.same_body => there,
            None if !told.same_body => RecordedRequest::in_database(told),
            there => self.put_back(request, told, there, deadline).await?,
        };
        Ok(Some(known))
    }

    async fn existing_under(
        &self,
        key: &str,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<RecordedRequest>, Degraded> {
        let existing = self.requests.existing_under(key, request.body(), deadline);
        Ok(existing.await?.map(RecordedRequest::in_database))
    }

    /// Records anew what was `told` of a request that came as this one does now, and answers it, or what is `there` under its key
    /// if that is another request.
    async fn put_back(
        &self,
        request: &NewRequest,
        told: ExistingRequest,
        there: Option<RecordedRequest>,
        deadline: Deadline,
    ) -> Result<RecordedRequest, Degraded> {
        let end = match &told.state {
            RequestState::Done(result) => Some(result.clone()),
            RequestState::Running | RequestState::Waiting => None,
            // Nothing is owed to anybody.
            RequestState::Failed(_) | RequestState::Cancelled => {
                return Ok(RecordedRequest::in_database(told));
            }
        };
        tracing::warn!(request_id = %told.id, done = end.is_some(), "under its key Postgres has not what was told of this request: it is put back");
        let is_keyed = there.as_ref().is_none_or(|it| it.existing.id == told.id);
        let lost = NewRequest {
            id: told.id,
            key: request.key.clone().filter(|_| is_keyed),
            received_at: received_at(told.id).unwrap_or(request.received_at),
            ..request.clone()
        };
        let told_entry = entry(&lost, end.clone());
        let put_back = self.requests.put_back(&told_entry, deadline).await;
        let known = match (put_back, end) {
            // Of two ends the earlier stands, which need not be the one that was told.
            (Ok(()), _) => {
                let stands = self.requests.state_of(told.id, deadline).await?;
                RecordedRequest::in_database(stands.unwrap_or(told))
            }
            (Err(missing), Some(end)) => {
                let why = missing.clone();
                self.end_in_journal(&lost, end, missing, deadline).await?;
                RecordedRequest {
                    missing: Some(why),
                    ..self.in_journal(told)
                }
            }
            (Err(missing), None) => {
                match self.receive_in_journal(&lost, missing, deadline).await? {
                    Received::Existing(known) => known,
                    Received::Ours(_) | Received::Rejected(_) => self.in_journal(told),
                }
            }
        };
        // A key stands for the first that was committed with it, also where replicas that were cut off told of several.
        Ok(there.filter(|_| !is_keyed).unwrap_or(known))
    }

    /// # Errors
    /// What was missing, unless the journal has this very `end`.
    async fn end_in_journal(
        &self,
        lost: &NewRequest,
        end: WorkResult,
        missing: Degraded,
        deadline: Deadline,
    ) -> Result<(), Degraded> {
        let journalled = self.complete_in_journal(lost, end.clone(), missing, deadline);
        match journalled.await {
            WorkOutcome::Journalled(it, _) if it.response == end.response => Ok(()),
            // Where the journal has another end, that one must reach Postgres first: there the two can meet.
            WorkOutcome::Journalled(_, missing)
            | WorkOutcome::Unrecorded(missing)
            | WorkOutcome::Unavailable(missing) => Err(missing),
            WorkOutcome::Recorded(_) | WorkOutcome::EndedOtherwise(_) => Ok(()),
        }
    }

    /// # Errors
    /// When the journal may hold the key and cannot be read: then nothing is accepted under it anew.
    pub(super) async fn known_to_journal(
        &self,
        request: &NewRequest,
        deadline: Deadline,
    ) -> Result<Option<RecordedRequest>, Degraded> {
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

/// Whether what is `there` is what was `told`, or has come of it.
fn keeps(there: &ExistingRequest, told: &ExistingRequest) -> bool {
    match &told.state {
        RequestState::Done(result) => {
            there.id == told.id && there.state.response() == Some(&result.response)
        }
        RequestState::Running | RequestState::Waiting => there.id == told.id,
        RequestState::Failed(_) | RequestState::Cancelled => true,
    }
}

/// What this replica told, while Postgres cannot be asked.
fn told_before(existing: ExistingRequest, missing: Degraded) -> RecordedRequest {
    RecordedRequest {
        existing,
        recorded_in: RecordedIn::Database,
        missing: Some(missing),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_wire::JsonText;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn done(response: &str, attempts: u32) -> RequestState {
        RequestState::Done(WorkResult {
            response: JsonText::parse(response.to_owned()).unwrap(),
            completed_at: Timestamp::UNIX_EPOCH,
            attempts,
        })
    }

    fn request(id: u128, state: RequestState) -> ExistingRequest {
        ExistingRequest {
            id: Uuid::from_u128(id),
            same_body: true,
            state,
        }
    }

    #[test]
    fn a_told_result_is_kept_only_by_the_same_result_under_the_same_id() {
        let told = request(1, done("1", 1));
        assert!(keeps(&request(1, done("1", 3)), &told));
        assert!(!keeps(&request(2, done("1", 1)), &told), "another id");
        for state in [
            done("2", 1),
            RequestState::Running,
            RequestState::Waiting,
            RequestState::Failed("no".to_owned()),
            RequestState::Cancelled,
        ] {
            assert!(!keeps(&request(1, state.clone()), &told), "{state:?}");
        }
    }

    #[test]
    fn an_acceptance_is_kept_by_whatever_became_of_it_and_a_failure_binds_nobody() {
        let failed = RequestState::Failed("no".to_owned());
        for told in [RequestState::Running, RequestState::Waiting] {
            let told = request(1, told);
            assert!(keeps(&request(1, done("1", 1)), &told));
            assert!(keeps(&request(1, failed.clone()), &told));
            assert!(!keeps(&request(2, done("1", 1)), &told));
        }
        assert!(keeps(
            &request(2, RequestState::Waiting),
            &request(1, failed)
        ));
    }
}
