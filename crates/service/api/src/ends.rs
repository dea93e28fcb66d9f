//! Who waits for the end of a request, and how they learn of it: from one look at what ended lately, shared by all.
//!
//! The look costs as much as requests end, not as much as clients wait, and sees ends whichever replica recorded them. It is
//! made only while somebody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_ops::Readiness;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Between two looks: with the look itself, a waiter learns of an end within 50 ms.
const PERIOD: Duration = Duration::from_millis(20);
/// How far a look reaches back before the last one: an end is dated when its statement begins and seen when it is committed.
const OVERLAP: Duration = Duration::from_secs(1);
/// How often those who left are forgotten.
const TIDYING: Duration = Duration::from_secs(1);

/// The waiters. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Ends(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Dropped, a sender wakes all who wait for its request.
    waiters: Mutex<HashMap<Uuid, watch::Sender<()>>>,
    somebody: Notify,
}

/// One who waits.
pub(crate) struct Waiter(watch::Receiver<()>);

impl Waiter {
    /// Resolves when the request may have ended, or the service is about to stop.
    pub(crate) async fn woken(mut self) {
        // Nothing is ever sent: it ends with the sender.
        let _ = self.0.changed().await;
    }
}

impl Ends {
    /// Begins to wait for the end of `id`; what ends from now on is not missed.
    pub(crate) fn wait_for(&self, id: Uuid) -> Waiter {
        let mut waiters = self.waiters();
        let sender = waiters.entry(id).or_insert_with(|| watch::channel(()).0);
        let waiter = Waiter(sender.subscribe());
        drop(waiters);
        self.0.somebody.notify_one();
        waiter
    }

    /// Looks for ever, while somebody waits; `ended` tells which requests ended within so long, if it can. Once the service
    /// drains, nobody waits any more.
    pub(crate) async fn keep_looking(
        self,
        readiness: Readiness,
        ended: impl AsyncFn(Duration) -> Option<Vec<Uuid>>,
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
                last_look = now;
                self.wake(&ids);
            }
            if now >= next_tidying {
                next_tidying = now + TIDYING;
                self.waiters()
                    .retain(|_, sender| sender.receiver_count() > 0);
            }
        }
    }

    fn wake(&self, ids: &[Uuid]) {
        let mut waiters = self.waiters();
        for id in ids {
            waiters.remove(id);
        }
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn waiters(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        let waiters = &self.0.waiters;
        waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_waiters_share_one_look_and_all_learn_of_the_end() {
        let (ends, looks) = (Ends::default(), Arc::new(AtomicU32::new(0)));
        let counted = looks.clone();
        let looking = ends
            .clone()
            .keep_looking(Readiness::default(), async move |_| {
                let look = counted.fetch_add(1, Ordering::Relaxed);
                Some(if look == 9 { vec![ID] } else { vec![] })
            });
        let looking = tokio::spawn(looking);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(looks.load(Ordering::Relaxed), 0, "nobody waits");
        let started = Instant::now();
        let waiters: Vec<_> = (0..10_000).map(|_| ends.wait_for(ID)).collect();
        for waiter in waiters {
            waiter.woken().await;
        }
        assert_eq!(looks.load(Ordering::Relaxed), 10);
        assert_eq!(started.elapsed(), PERIOD * 10);
        looking.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn who_left_is_forgotten_and_who_waits_while_it_drains_is_woken() {
        let (ends, readiness) = (Ends::default(), Readiness::default());
        let looking = ends.clone().keep_looking(readiness.clone(), async |_| None);
        let looking = tokio::spawn(looking);
        drop(ends.wait_for(Uuid::from_u128(2)));
        let waiter = ends.wait_for(ID);
        sleep(TIDYING * 2).await;
        assert_eq!(ends.waiters().len(), 1);
        readiness.drain();
        waiter.woken().await;
        assert_eq!(ends.waiters().len(), 0);
        looking.abort();
    }
}
