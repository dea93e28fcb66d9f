//! Keys of the calls that are under way in this process: one call per key at a time.
//!
//! Neither Postgres nor the journal knows all of them at every moment: while Postgres goes away or comes back, each could
//! take a key that the other holds. So the second call waits for the first to end and then sees what came of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_policy::Deadline;
use tokio::sync::watch;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::NewRequest;

type Calls = HashMap<String, Live>;

/// The keys under way. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveKeys(Arc<Mutex<Calls>>);

/// The call that has a key.
#[derive(Debug, Clone)]
struct Live {
    id: Uuid,
    body: Option<String>,
    /// Closed when the call ends, however it ends.
    ended: watch::Receiver<()>,
}

/// A key that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct LiveKey {
    keys: LiveKeys,
    key: String,
    _ended: watch::Sender<()>,
}

/// What became of the wish for a key.
#[derive(Debug)]
pub(super) enum Turn {
    /// It is ours, or there is none.
    Ours(Option<LiveKey>),
    /// A call with another body has it.
    OtherBody(Uuid),
    /// This call still had it at the deadline.
    StillRunning(Uuid),
}

impl LiveKeys {
    /// Takes the key of `request`, waiting until `deadline` for whoever has it.
    pub(super) async fn take(&self, request: &NewRequest, deadline: Deadline) -> Turn {
        let Some(key) = &request.key else {
            return Turn::Ours(None);
        };
        let body = request.body().map(str::to_owned);
        loop {
            let mut other = match self.try_take(key, request.id, &body) {
                Ok(ours) => return Turn::Ours(Some(ours)),
                Err(other) => other,
            };
            if other.body != body {
                return Turn::OtherBody(other.id);
            }
            let ended = async { while other.ended.changed().await.is_ok() {} };
            if timeout_at(deadline.instant(), ended).await.is_err() {
                return Turn::StillRunning(other.id);
            }
        }
    }

    fn try_take(&self, key: &str, id: Uuid, body: &Option<String>) -> Result<LiveKey, Live> {
        match self.lock().entry(key.to_owned()) {
            Entry::Occupied(taken) => Err(taken.get().clone()),
            Entry::Vacant(free) => {
                let (_ended, ended) = watch::channel(());
                let body = body.clone();
                free.insert(Live { id, body, ended });
                Ok(LiveKey {
                    keys: self.clone(),
                    key: key.to_owned(),
                    _ended,
                })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveKey {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
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
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(1))
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_call_gets_the_key_when_the_first_has_ended() {
        let keys = LiveKeys::default();
        let Turn::Ours(first) = keys.take(&request("1"), soon()).await else {
            panic!("nobody has it");
        };
        let waiting = tokio::spawn({
            let keys = keys.clone();
            async move { keys.take(&request("1"), soon()).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(matches!(waiting.await.unwrap(), Turn::Ours(Some(_))));
        assert!(keys.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_vain_learns_whom_it_waited_for() {
        let keys = LiveKeys::default();
        let first = request("1");
        let _held = keys.take(&first, soon()).await;
        let turn = keys.take(&request("1"), soon()).await;
        assert!(matches!(turn, Turn::StillRunning(id) if id == first.id));
    }

    #[tokio::test(start_paused = true)]
    async fn another_body_does_not_wait() {
        let keys = LiveKeys::default();
        let first = request("1");
        let _held = keys.take(&first, soon()).await;
        let turn = keys.take(&request("2"), soon()).await;
        assert!(matches!(turn, Turn::OtherBody(id) if id == first.id));
    }
}
