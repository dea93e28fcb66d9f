//! How much accepted work is not finished: counted in Postgres in the background, so that no answer waits for the database,
//! and since then by what was deferred and by what the journal holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_wire::RecordedIn;
use tokio::time::{MissedTickBehavior, interval};

use crate::journal::Journal;
use crate::trace::DeferredTraces;

const PERIOD: Duration = Duration::from_secs(1);
const NEVER_COUNTED: u64 = u64::MAX;
const NO_AGE: u64 = u64::MAX;

/// What Postgres says of open work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCount {
    /// How many requests are open.
    pub count: u64,
    /// Since when the oldest of them is.
    pub oldest: Option<Duration>,
}

/// The last count and what came since. Clones share it.
#[derive(Clone)]
pub(crate) struct OpenWork {
    counted: Arc<AtomicU64>,
    /// In milliseconds, as of the last count.
    oldest: Arc<AtomicU64>,
    since: Arc<AtomicU64>,
    journal: Option<Journal>,
    /// In which traces it was deferred, for those who come back to it.
    pub(crate) deferred_traces: DeferredTraces,
    most: Arc<AtomicU64>,
}

impl OpenWork {
    /// Never counted yet; `most` is how much the service takes on.
    #[must_use]
    pub(crate) fn new(journal: Option<Journal>, most: u64) -> Self {
        Self {
            counted: Arc::new(AtomicU64::new(NEVER_COUNTED)),
            oldest: Arc::new(AtomicU64::new(NO_AGE)),
            since: Arc::default(),
            journal,
            deferred_traces: DeferredTraces::default(),
            most: Arc::new(AtomicU64::new(most)),
        }
    }

    /// The last count in Postgres; `None` while there never was one.
    #[must_use]
    pub(crate) fn counted(&self) -> Option<u64> {
        let count = self.counted.load(Ordering::Relaxed);
        (count != NEVER_COUNTED).then_some(count)
    }

    /// The age of the oldest open request in Postgres, as last asked; `None` when there is none, or it never was asked.
    #[must_use]
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let age = self.oldest.load(Ordering::Relaxed);
        (age != NO_AGE).then(|| Duration::from_millis(age))
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
        let in_journal = self.journal.as_ref().map_or(0, |it| it.stats().open);
        let since = self.since.load(Ordering::Relaxed);
        let counted = self.counted().unwrap_or(0);
        counted.saturating_add(since).saturating_add(in_journal)
            >= self.most.load(Ordering::Relaxed)
    }

    /// The service takes on so much from now on.
    pub(crate) fn take_on(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// A request was deferred. Counted here until Postgres is asked again; the journal counts its own.
    pub(crate) fn deferred(&self, recorded_in: RecordedIn) {
        if recorded_in == RecordedIn::Database {
            self.since.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts for ever; `count` asks Postgres, and may not be answered.
    pub(crate) async fn keep_counting(self, count: impl AsyncFn() -> Option<OpenCount>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = self.since.load(Ordering::Relaxed);
            if let Some(OpenCount { count, oldest }) = count().await {
                self.counted.store(count, Ordering::Relaxed);
                let age = oldest.map_or(NO_AGE, |age| {
                    u64::try_from(age.as_millis()).unwrap_or(NO_AGE)
                });
                self.oldest.store(age, Ordering::Relaxed);
                // Those that the count has seen; what came meanwhile may be counted twice, for a second.
                self.since.fetch_sub(before, Ordering::Relaxed);
            }
        }
    }
}
