//! How much accepted work is not finished, counted in the background so that no answer waits for the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_policy::BreakerState;
use tokio::time::{MissedTickBehavior, interval};

use crate::dependency::Dependency;
use crate::guarded::GuardedStore;

const PERIOD: Duration = Duration::from_secs(1);
const NEVER_COUNTED: u64 = u64::MAX;

/// The last count. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct OpenWork(Arc<AtomicU64>);

impl Default for OpenWork {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(NEVER_COUNTED)))
    }
}

impl OpenWork {
    /// The last count; `None` while there never was one.
    #[must_use]
    pub(crate) fn last(&self) -> Option<u64> {
        let count = self.0.load(Ordering::Relaxed);
        (count != NEVER_COUNTED).then_some(count)
    }

    /// Counts for ever. Only while the breaker is closed: a database in trouble is left alone.
    pub(crate) async fn keep_counting(
        self,
        store: GuardedStore,
        database: Arc<Dependency>,
        limit: Duration,
    ) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if database.snapshot().breaker != BreakerState::Closed {
                continue;
            }
            if let Some(count) = store.count_open(limit).await {
                self.0.store(count, Ordering::Relaxed);
            }
        }
    }
}
