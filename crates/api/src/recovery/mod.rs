//! Recovery: what was accepted and not finished is finished, without anybody's help.
//!
//! Two flows, in this order: the journal's entries go to Postgres (`replay`), so that a result that is there already is not
//! worked for again; then open requests are claimed and the worker is called for them (`work`). Both run under the policies of
//! live calls, at lower priority: one call to Postgres at a time (`RecoveryStore`), and as many calls of the worker as
//! `ramp` allows. Nothing is called while its breaker would refuse; what an outage costs is not counted (`attribution`).

mod attribution;
mod batch;
mod progress;
mod ramp;
mod rate;
mod replay;
mod store;
mod work;

use std::time::Duration;

use holdfast_ops::Readiness;
use tokio::time::{Instant, MissedTickBehavior, interval};

pub(crate) use self::progress::{Count, Progress};
use self::replay::Replay;
pub(crate) use self::store::RecoveryStore;
use self::work::Work;
use crate::config::Policies;
use crate::journal::Journal;
use crate::open_work::OpenWork;
use crate::worker_client::ResilientWorker;

const TICK: Duration = Duration::from_millis(100);
/// After a call that failed; the breaker asks for more if there is reason to.
const PAUSE: Duration = Duration::from_millis(500);
/// Rows deleted per statement when they have been kept long enough.
const PORTION: u32 = 1000;
/// Recovery must not wait for more of them.
const PORTIONS_AT_ONCE: u32 = 10;
const LONGEST_BETWEEN_DELETIONS: Duration = Duration::from_secs(60);

/// What the policy file says about recovery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    lease: Duration,
    max_attempts: u32,
    max_concurrent: u32,
    journal_deadline: Duration,
    keep: Duration,
}

impl From<&Policies> for Rules {
    fn from(policies: &Policies) -> Self {
        Self {
            lease: policies.recovery.lease,
            max_attempts: policies.recovery.max_attempts,
            max_concurrent: policies.recovery.max_concurrent,
            journal_deadline: policies.journal.deadline,
            keep: policies.idempotency.keep,
        }
    }
}

/// Recovery with all it needs; one per process.
pub(crate) struct Recovery {
    pub(crate) rules: Rules,
    pub(crate) store: RecoveryStore,
    pub(crate) journal: Option<Journal>,
    pub(crate) worker: ResilientWorker,
    pub(crate) open_work: OpenWork,
    pub(crate) progress: Progress,
}

impl Recovery {
    /// Recovers for ever. Once the service drains, nothing new is claimed; what is under way ends, and the journal goes on
    /// to Postgres for as long as the process lives.
    pub(crate) async fn run(self, readiness: Readiness) {
        let mut replay = self.journal.clone().map(|it| Replay::new(&self, it));
        let (store, progress, keep) = (self.store.clone(), self.progress.clone(), self.rules.keep);
        let mut work = Work::new(self);
        let between_deletions = (keep / 10).min(LONGEST_BETWEEN_DELETIONS);
        let mut next_replay = Instant::now();
        let mut next_deletion = Instant::now() + between_deletions;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(replay) = &mut replay
                && Instant::now() >= next_replay
                && replay.run().await.is_err()
            {
                next_replay = Instant::now() + PAUSE;
            }
            store.probe().await;
            work.settle().await;
            if readiness.is_ready() {
                work.claim().await;
            }
            if Instant::now() >= next_deletion && store.may_call() {
                forget(&store, &progress, keep).await;
                next_deletion = Instant::now() + between_deletions;
            }
        }
    }
}

async fn forget(store: &RecoveryStore, progress: &Progress, keep: Duration) {
    for _ in 0..PORTIONS_AT_ONCE {
        match store.forget(keep, PORTION).await {
            Ok(forgotten @ 1..) => {
                progress.count(Count::Forgotten, forgotten, Instant::now());
                tracing::debug!(forgotten, "deleted what has been kept long enough");
            }
            _ => break,
        }
    }
}
