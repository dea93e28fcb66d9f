//! Retention: what has been kept long enough is deleted as fast as it comes, and no faster than live calls allow.
//!
//! Portion after portion for as long as there is something to delete, with a pause after each, so that a ninth of one session's
//! time is all it takes, and half of it where deletions fall further behind. A portion that does not end in time is halved and
//! grows back. How far it lags behind is measured, and said aloud.

use std::time::Duration;

use holdfast_wire::{Degraded, Reason};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::batch::AdaptiveBatch;
use super::progress::{Count, Progress};
use super::retention_pace::RetentionPace;
use super::store::RecoveryStore;
use crate::store::Table;

/// Rows per statement, before any has taken too long.
const MAX_PORTION: u32 = 1000;
/// Between two looks when there was nothing left to delete.
const MAX_INTERVAL: Duration = Duration::from_secs(10);
/// After a statement that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How far it may lag behind before it says so, and how often it does.
const TOLERATED: Duration = Duration::from_secs(60);

/// Deletes for ever.
pub(super) struct Retention<T> {
    store: RecoveryStore<T>,
    progress: Progress,
    keep: Duration,
    portion: AdaptiveBatch,
    pace: RetentionPace,
    /// Where the last portion ended.
    from: Option<Timestamp>,
    next_look: Instant,
    next_warning: Instant,
}

impl<T: Table> Retention<T> {
    pub(super) fn new(store: RecoveryStore<T>, progress: Progress, keep: Duration) -> Self {
        Self {
            store,
            progress,
            keep,
            portion: AdaptiveBatch::new(MAX_PORTION),
            pace: RetentionPace::new(),
            from: None,
            next_look: Instant::now(),
            next_warning: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let pause = self.round().await;
            sleep(pause).await;
        }
    }

    /// Deletes one portion; returns how long to wait before the next.
    async fn round(&mut self) -> Duration {
        if !self.store.may_call() {
            return PAUSE;
        }
        let (portion, started) = (self.portion.size(), Instant::now());
        match self.store.forget(self.keep, portion, self.from).await {
            Ok(forgotten) => {
                let took = started.elapsed();
                self.portion.went_well();
                self.progress
                    .count(Count::Forgotten, forgotten.rows, Instant::now());
                self.from = forgotten.up_to;
                if Instant::now() >= self.next_look
                    && let Some(behind) = self.look().await
                {
                    self.pace.lags(behind);
                }
                if forgotten.rows >= u64::from(portion) {
                    return self.pace.pause(took);
                }
                // From the beginning the next time: what somebody had locked may be free by then.
                self.from = None;
                (self.keep / 10).min(MAX_INTERVAL)
            }
            Err(missing) => {
                self.failed(&missing);
                // What is not deleted because it fails is not deleted sooner by trying harder.
                self.look().await;
                PAUSE
            }
        }
    }

    fn failed(&mut self, missing: &Degraded) {
        self.progress.count(Count::ForgetFailed, 1, Instant::now());
        if missing.reason == Reason::AttemptTimeout {
            self.portion.timed_out();
        }
        tracing::warn!(
            reason = missing.reason.as_str(),
            next = self.portion.size(),
            "what has been kept long enough could not be deleted"
        );
    }

    /// Measures how far it lags behind; none: it could not.
    async fn look(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.next_look = now + MAX_INTERVAL;
        let oldest = self.store.oldest_kept(self.from).await.ok()?;
        let behind = oldest.map_or(Duration::ZERO, |oldest| oldest.saturating_sub(self.keep));
        self.progress.set_retention_lag(behind);
        if behind > TOLERATED && now >= self.next_warning {
            self.next_warning = now + TOLERATED;
            tracing::warn!(
                behind_seconds = behind.as_secs(),
                "deleting what has been kept long enough lags behind"
            );
        }
        Some(behind)
    }
}
