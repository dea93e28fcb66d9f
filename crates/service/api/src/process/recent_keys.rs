//! What this replica answered lately under a key: told again where neither Postgres nor the journal can be asked for it, and
//! put back where Postgres does not have it any more.
//!
//! Bounded in number and bytes; the oldest are forgotten first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::NewRequest;
use super::existing::{ExistingRequest, RequestState};
use super::outcome::Outcome;

const MAX_KEYS: usize = 20_000;
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The latest answers by key. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentKeys(Arc<Mutex<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    answers: HashMap<String, Answer>,
    /// Oldest first; a key that was answered again stands here again.
    order: VecDeque<(String, u64)>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Answer {
    existing: ExistingRequest,
    body: Option<String>,
    number: u64,
    bytes: usize,
}

impl RecentKeys {
    /// What was answered under the key of `request`. Not what came longer ago than `keep`: that Postgres may have forgotten on
    /// purpose.
    pub(super) fn find(&self, request: &NewRequest, keep: Duration) -> Option<ExistingRequest> {
        let recent = self.lock();
        let answer = recent.answers.get(request.key.as_ref()?)?;
        let age = request
            .received_at
            .duration_since(received_at(answer.existing.id)?);
        if Duration::try_from(age).is_ok_and(|age| age >= keep) {
            return None;
        }
        Some(ExistingRequest {
            same_body: answer.body.as_deref() == request.body(),
            ..answer.existing.clone()
        })
    }

    /// Remembers that `request` is answered with `outcome`, if that is a promise.
    pub(super) fn remember(&self, request: &NewRequest, outcome: &Outcome) {
        let Some(key) = &request.key else { return };
        let (id, state) = match outcome {
            Outcome::Done { id, result, .. } => (*id, RequestState::Done(result.clone())),
            Outcome::Deferred { id, .. } => (*id, RequestState::Waiting),
            Outcome::Failed { id, error } => (*id, RequestState::Failed(error.clone())),
            Outcome::Refused(_) | Outcome::KeyReused { .. } => return,
        };
        let existing = ExistingRequest {
            id,
            same_body: true,
            state,
        };
        self.lock()
            .insert(key, request.body().map(str::to_owned), existing);
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the request came that has this id.
pub(super) fn received_at(id: Uuid) -> Option<Timestamp> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Timestamp::new(
        i64::try_from(seconds).ok()?,
        i32::try_from(nanoseconds).ok()?,
    )
    .ok()
}

impl Recent {
    fn insert(&mut self, key: &str, body: Option<String>, existing: ExistingRequest) {
        let response = existing.state.response().map_or(0, |it| it.get().len());
        let bytes = key.len() * 2 + body.as_ref().map_or(0, String::len) + response;
        let number = self.next;
        self.next += 1;
        self.order.push_back((key.to_owned(), number));
        self.bytes += bytes;
        let answer = Answer {
            existing,
            body,
            number,
            bytes,
        };
        if let Some(before) = self.answers.insert(key.to_owned(), answer) {
            self.bytes -= before.bytes;
        }
        while self.answers.len() > MAX_KEYS
            || self.bytes > MAX_BYTES
            || self.order.len() > MAX_KEYS * 2
        {
            let Some((oldest, number)) = self.order.pop_front() else {
                return;
            };
            if self
                .answers
                .get(&oldest)
                .is_some_and(|it| it.number == number)
                && let Some(forgotten) = self.answers.remove(&oldest)
            {
                self.bytes -= forgotten.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_wire::{JsonText, RecordedIn};
    use serde_json::value::RawValue;

    use super::*;
    use crate::process::WorkResult;

    const KEEP: Duration = Duration::from_secs(60);

    fn request(key: &str, body: &str) -> NewRequest {
        NewRequest {
            id: Uuid::now_v7(),
            key: Some(key.to_owned()),
            payload: Some(RawValue::from_string(body.to_owned()).unwrap()),
            received_at: Timestamp::now(),
            priority: holdfast_policy::Priority::USUAL,
        }
    }

    fn done(request: &NewRequest) -> Outcome {
        Outcome::Done {
            id: request.id,
            result: WorkResult {
                response: JsonText::null(),
                completed_at: Timestamp::UNIX_EPOCH,
                attempts: 2,
            },
            recorded_in: RecordedIn::Database,
            degraded: vec![],
            replayed: false,
        }
    }

    #[test]
    fn a_promise_is_remembered_with_its_body_and_its_end() {
        let keys = RecentKeys::default();
        let first = request("k", "1");
        assert_eq!(keys.find(&first, KEEP), None);
        keys.remember(&first, &done(&first));
        let found = keys.find(&request("k", "1"), KEEP).unwrap();
        assert_eq!((found.id, found.same_body), (first.id, true));
        let RequestState::Done(result) = found.state else {
            panic!("it is done");
        };
        assert_eq!(
            (result.completed_at, result.attempts),
            (Timestamp::UNIX_EPOCH, 2)
        );
        assert!(!keys.find(&request("k", "2"), KEEP).unwrap().same_body);
    }

    #[test]
    fn what_postgres_may_have_forgotten_on_purpose_is_not_remembered_either() {
        let keys = RecentKeys::default();
        let first = request("k", "1");
        keys.remember(&first, &done(&first));
        let mut again = request("k", "1");
        again.received_at += KEEP * 2;
        assert_eq!(keys.find(&again, KEEP), None);
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_what_was_told_again_is_young() {
        let keys = RecentKeys::default();
        let tell = |key: String| {
            let request = request(&key, "1");
            keys.remember(&request, &done(&request));
        };
        (0..MAX_KEYS).for_each(|number| tell(number.to_string()));
        tell("0".to_owned());
        tell("new".to_owned());
        let known = |key: &str| keys.find(&request(key, "1"), KEEP).is_some();
        assert!(known("0") && known("new") && known("2"));
        assert!(!known("1"));
        assert_eq!(keys.lock().answers.len(), MAX_KEYS);
    }
}
