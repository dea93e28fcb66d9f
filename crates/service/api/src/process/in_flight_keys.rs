//! Keys of the calls that are under way in this process: one call per key at a time.
//!
//! Neither Postgres nor the journal knows all of them at every moment: while Postgres goes away or comes back, each could
//! take a key that the other holds. So a second call waits for the first and shares its answer: many callers under one
//! key cost one. Those who wait are told in the order in which they came.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use holdfast_policy::Deadline;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::NewRequest;
use super::outcome::Outcome;

type Calls = HashMap<String, Call>;

/// The keys under way. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlightKeys(Arc<Mutex<Calls>>);

/// The call that has a key.
#[derive(Debug)]
struct Call {
    id: Uuid,
    body: Option<String>,
    answer: Arc<Answer>,
}

/// The same, as one that comes under the same key sees it.
struct OtherCall {
    id: Uuid,
    same_body: bool,
    answer: Arc<Answer>,
}

/// What a call is answered.
#[derive(Debug)]
struct Answer {
    outcome: OnceLock<Outcome>,
    /// Without permits; closed when the call ends, however it ends.
    over: Semaphore,
}

/// A key that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightKey {
    keys: InFlightKeys,
    key: String,
    answer: Arc<Answer>,
}

/// What became of a claim to a key.
#[derive(Debug)]
pub(super) enum KeyClaim {
    /// It is ours, or there is none.
    Ours(Option<InFlightKey>),
    /// The call that had it was answered this.
    Answered(Outcome),
    /// A call with another body has it.
    OtherBody(Uuid),
    /// This call still had it at the deadline.
    StillRunning(Uuid),
}

impl InFlightKeys {
    /// Claims the key of `request`, waiting until `deadline` for a call that has it.
    pub(super) async fn claim(&self, request: &NewRequest, deadline: Deadline) -> KeyClaim {
        let Some(key) = &request.key else {
            return KeyClaim::Ours(None);
        };
        loop {
            let other = match self.try_claim(key, request) {
                Ok(ours) => return KeyClaim::Ours(Some(ours)),
                Err(other) => other,
            };
            if !other.same_body {
                return KeyClaim::OtherBody(other.id);
            }
            if timeout_at(deadline.instant(), other.answer.over.acquire())
                .await
                .is_err()
            {
                return KeyClaim::StillRunning(other.id);
            }
            // Without an answer its client left: the key is free.
            if let Some(outcome) = other.answer.outcome.get() {
                return KeyClaim::Answered(outcome.clone());
            }
        }
    }

    fn try_claim(&self, key: &str, request: &NewRequest) -> Result<InFlightKey, OtherCall> {
        match self.lock().entry(key.to_owned()) {
            Entry::Occupied(taken) => {
                let call = taken.get();
                Err(OtherCall {
                    id: call.id,
                    same_body: call.body.as_deref() == request.body(),
                    answer: Arc::clone(&call.answer),
                })
            }
            Entry::Vacant(free) => {
                let answer = Arc::new(Answer {
                    outcome: OnceLock::new(),
                    over: Semaphore::new(0),
                });
                free.insert(Call {
                    id: request.id,
                    body: request.body().map(str::to_owned),
                    answer: Arc::clone(&answer),
                });
                Ok(InFlightKey {
                    keys: self.clone(),
                    key: key.to_owned(),
                    answer,
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlightKey {
    /// Tells those who wait for it what this call is answered.
    pub(super) fn answered(&self, outcome: &Outcome) {
        // Two hold it when nobody waits: this call, and the map.
        if Arc::strong_count(&self.answer) > 2 {
            let _ = self.answer.outcome.set(outcome.clone());
        }
    }
}

impl Drop for InFlightKey {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
        self.answer.over.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use serde_json::value::RawValue;
    use std::time::Duration;

    fn request(body: &str) -> NewRequest {
        NewRequest {
            id: Uuid::now_v7(),
            key: Some("k".to_owned()),
            payload: Some(RawValue::from_string(body.to_owned()).unwrap()),
            received_at: Timestamp::now(),
            priority: holdfast_policy::Priority::USUAL,
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(1))
    }

    async fn first(keys: &InFlightKeys) -> InFlightKey {
        match keys.claim(&request("1"), soon()).await {
            KeyClaim::Ours(Some(key)) => key,
            other => panic!("nobody has it: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_call_shares_the_answer_of_the_first() {
        let keys = InFlightKeys::default();
        let first = first(&keys).await;
        let waiting = tokio::spawn({
            let keys = keys.clone();
            async move { keys.claim(&request("1"), soon()).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let outcome = Outcome::KeyReused { id: Uuid::nil() };
        first.answered(&outcome);
        drop(first);
        assert!(matches!(waiting.await.unwrap(), KeyClaim::Answered(it) if it == outcome));
        assert!(keys.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_call_gets_the_key_when_the_first_left_without_an_answer() {
        let keys = InFlightKeys::default();
        let first = first(&keys).await;
        let waiting = tokio::spawn({
            let keys = keys.clone();
            async move { keys.claim(&request("1"), soon()).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(matches!(waiting.await.unwrap(), KeyClaim::Ours(Some(_))));
        assert!(keys.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_whose_time_is_over_learns_whom_it_waited_for() {
        let keys = InFlightKeys::default();
        let first = request("1");
        let _held = keys.claim(&first, soon()).await;
        let claim = keys.claim(&request("1"), soon()).await;
        assert!(matches!(claim, KeyClaim::StillRunning(id) if id == first.id));
    }

    #[tokio::test(start_paused = true)]
    async fn another_body_does_not_wait() {
        let keys = InFlightKeys::default();
        let first = request("1");
        let _held = keys.claim(&first, soon()).await;
        let claim = keys.claim(&request("2"), soon()).await;
        assert!(matches!(claim, KeyClaim::OtherBody(id) if id == first.id));
    }
}
