//! How much accepted work is not finished: counted in Postgres in the background, so that no answer waits for the database,
//! and since then by what was put off and by what the journal holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::guarded::GuardedReads;
use crate::journal::Journal;

const PERIOD: Duration = Duration::from_secs(1);
const NEVER_COUNTED: u64 = u64::MAX;

/// The last count and what came since. Clones share it.
#[derive(Clone)]
pub(crate) struct OpenWork {
    counted: Arc<AtomicU64>,
    since: Arc<AtomicU64>,
    journal: Option<Journal>,
    most: u64,
}

impl OpenWork {
    /// Never counted yet; `most` is how much the service takes on.
    #[must_use]
    pub(crate) fn new(journal: Option<Journal>, most: u64) -> Self {
        Self {
            counted: Arc::new(AtomicU64::new(NEVER_COUNTED)),
            since: Arc::default(),
            journal,
            most,
        }
    }

    /// The last count in Postgres; `None` while there never was one.
    #[must_use]
    pub(crate) fn counted(&self) -> Option<u64> {
        let count = self.counted.load(Ordering::Relaxed);
        (count != NEVER_COUNTED).then_some(count)
    }

    /// Whether Postgres has any, as far as is known. Before the first count nothing is: a service that has just started
    /// must not open the breaker of a database that starts beside it.
    #[must_use]
    pub(crate) fn is_there(&self) -> bool {
        self.counted().is_some_and(|count| count > 0) || self.since.load(Ordering::Relaxed) > 0
    }

    /// Whether there is as much of it as the service takes on, to the best of its knowledge.
    #[must_use]
    pub(crate) fn is_full(&self) -> bool {
        let in_journal = self.journal.as_ref().map_or(0, |it| it.depth().open);
        let since = self.since.load(Ordering::Relaxed);
        let counted = self.counted().unwrap_or(0);
        counted.saturating_add(since).saturating_add(in_journal) >= self.most
    }

    /// A request was put off and is recorded in Postgres.
    pub(crate) fn put_off(&self) {
        self.since.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts for ever.
    pub(crate) async fn keep_counting(self, reads: GuardedReads) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = self.since.load(Ordering::Relaxed);
            if let Some(count) = reads.count_open().await {
                self.counted.store(count, Ordering::Relaxed);
                // Those that the count has seen; what came meanwhile may be counted twice, for a second.
                self.since.fetch_sub(before, Ordering::Relaxed);
            }
        }
    }
}
