//! Who waits for the end of a request, and how they learn of it: from one look at what ended lately, shared by all, and one into
//! this replica's journal.
//!
//! The look costs as much as requests end, not as much as clients wait, and sees ends whichever replica recorded them. It is
//! made only while somebody waits. What is waited for is then read once, so that a crowd that is woken at once asks nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_ops::Readiness;
use holdfast_wire::Request;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Between two looks: with the look itself, a waiter learns of an end within 50 ms.
const PERIOD: Duration = Duration::from_millis(20);
/// Between two looks into the journal, for ends that Postgres lacks: these are asked of by id.
const JOURNAL_PERIOD: Duration = Duration::from_secs(1);
/// How far a look reaches back before the last one: an end is dated when its statement begins and seen when it is committed.
const OVERLAP: Duration = Duration::from_secs(1);
/// How often those who left are forgotten.
const TIDYING: Duration = Duration::from_secs(1);

/// The waiters. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Ends(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// A sender tells all who wait for its request how it ended; dropped untold, it wakes them.
    waiters: Mutex<HashMap<Uuid, watch::Sender<Option<Request>>>>,
    somebody: Notify,
}

/// One who waits.
pub(crate) struct Waiter(watch::Receiver<Option<Request>>);

impl Waiter {
    /// Resolves with the request when it has ended, or with nothing when the service is about to stop.
    pub(crate) async fn woken(mut self) -> Option<Request> {
        // An error says that the sender is gone; what it said last stands.
        let _ = self.0.changed().await;
        self.0.borrow().clone()
    }
}

impl Ends {
    /// Begins to wait for the end of `id`; what ends from now on is not missed.
    pub(crate) fn wait_for(&self, id: Uuid) -> Waiter {
        let mut waiters = self.waiters();
        let sender = waiters.entry(id).or_insert_with(|| watch::channel(None).0);
        let waiter = Waiter(sender.subscribe());
        drop(waiters);
        self.0.somebody.notify_one();
        waiter
    }

    /// Looks for ever, while somebody waits; `ended` tells which requests ended within so long, `read` reads some, if they
    /// can. Once the service drains, nobody waits any more.
    pub(crate) async fn keep_looking(
        self,
        readiness: Readiness,
        ended: impl AsyncFn(Duration) -> Option<Vec<Uuid>>,
        read: impl AsyncFn(Vec<Uuid>) -> Option<Vec<Request>>,
    ) {
        let mut last_look = Instant::now();
        let mut next_tidying = Instant::now();
        loop {
            if self.waiters().is_empty() {
                self.0.somebody.notified().await;
                last_look = Instant::now();
            }
            sleep(PERIOD).await;
            if !readiness.is_ready() {
                self.waiters().clear();
                continue;
            }
            let now = Instant::now();
            if let Some(ids) = ended(now.duration_since(last_look) + OVERLAP).await {
                let waited = self.waited_for(ids);
                if waited.is_empty() {
                    last_look = now;
                } else if let Some(requests) = read(waited).await {
                    last_look = now;
                    self.tell(requests);
                }
            }
            if now >= next_tidying {
                next_tidying = now + TIDYING;
                let mut waiters = self.waiters();
                waiters.retain(|_, sender| sender.receiver_count() > 0);
            }
        }
    }

    /// Looks into the journal for ever; `ended` tells which of the requests that somebody waits for have their end there.
    pub(crate) async fn keep_looking_into_journal(
        self,
        ended: impl AsyncFn(Vec<Uuid>) -> Vec<Request>,
    ) {
        loop {
            sleep(JOURNAL_PERIOD).await;
            let ids: Vec<Uuid> = self.waiters().keys().copied().collect();
            if !ids.is_empty() {
                self.tell(ended(ids).await);
            }
        }
    }

    /// Those of `ids` that somebody waits for.
    fn waited_for(&self, mut ids: Vec<Uuid>) -> Vec<Uuid> {
        let waiters = self.waiters();
        ids.retain(|id| waiters.contains_key(id));
        ids
    }

    fn tell(&self, requests: Vec<Request>) {
        let mut waiters = self.waiters();
        for request in requests.into_iter().filter(|it| it.status.is_end()) {
            if let Some(sender) = waiters.remove(&request.request_id) {
                // Nobody is left to be told if this fails.
                let _ = sender.send(Some(request));
            }
        }
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn waiters(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<Option<Request>>>> {
        let waiters = &self.0.waiters;
        waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use holdfast_wire::RequestStatus;
    use jiff::Timestamp;

    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn cancelled(id: Uuid) -> Request {
        Request {
            request_id: id,
            status: RequestStatus::Cancelled,
            worker_response: None,
            attempts: 0,
            error: None,
            received_at: Timestamp::UNIX_EPOCH,
            completed_at: Some(Timestamp::UNIX_EPOCH),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_waiters_share_one_look_and_one_read_and_all_learn_of_the_end() {
        let (ends, looks, reads) = (
            Ends::default(),
            Arc::new(AtomicU32::new(0)),
            Arc::new(AtomicU32::new(0)),
        );
        let (counted, read) = (looks.clone(), reads.clone());
        let looking = ends.clone().keep_looking(
            Readiness::default(),
            async move |_| {
                let look = counted.fetch_add(1, Ordering::Relaxed);
                Some(if look == 9 {
                    vec![ID, Uuid::nil()]
                } else {
                    vec![Uuid::nil()]
                })
            },
            async move |ids| {
                read.fetch_add(1, Ordering::Relaxed);
                Some(ids.into_iter().map(cancelled).collect())
            },
        );
        let looking = tokio::spawn(looking);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(looks.load(Ordering::Relaxed), 0, "nobody waits");
        let started = Instant::now();
        let waiters: Vec<_> = (0..10_000).map(|_| ends.wait_for(ID)).collect();
        for waiter in waiters {
            assert_eq!(waiter.woken().await, Some(cancelled(ID)));
        }
        let asked = [&looks, &reads].map(|it| it.load(Ordering::Relaxed));
        assert_eq!((asked, started.elapsed()), ([10, 1], PERIOD * 10));
        looking.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_ended_in_the_journal_is_looked_for_once_a_second_however_many_wait() {
        let (ends, looks) = (Ends::default(), Arc::new(AtomicU32::new(0)));
        let counted = looks.clone();
        let looking = ends.clone().keep_looking_into_journal(async move |ids| {
            let look = counted.fetch_add(1, Ordering::Relaxed);
            let ended = ids.into_iter().filter(|_| look == 2);
            ended.map(cancelled).collect()
        });
        let looking = tokio::spawn(looking);
        let waiters: Vec<_> = (0..10_000).map(|_| ends.wait_for(ID)).collect();
        for waiter in waiters {
            assert_eq!(waiter.woken().await, Some(cancelled(ID)));
        }
        sleep(JOURNAL_PERIOD * 10).await;
        assert_eq!(looks.load(Ordering::Relaxed), 3);
        looking.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn who_left_is_forgotten_and_who_waits_while_it_drains_is_woken() {
        let (ends, readiness) = (Ends::default(), Readiness::default());
        let looking = ends
            .clone()
            .keep_looking(readiness.clone(), async |_| None, async |_| None);
        let looking = tokio::spawn(looking);
        drop(ends.wait_for(Uuid::from_u128(2)));
        let waiter = ends.wait_for(ID);
        sleep(TIDYING * 2).await;
        assert_eq!(ends.waiters().len(), 1);
        readiness.drain();
        assert_eq!(waiter.woken().await, None);
        assert_eq!(ends.waiters().len(), 0);
        looking.abort();
    }
}
