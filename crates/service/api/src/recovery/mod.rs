//! Recovery: what was accepted and not finished is finished, without anybody's help.
//!
//! Two flows, in this order: the journal's entries go to Postgres (`replay`), so that a result that is there already is not
//! worked for again; then, unless the first failed (`journal_gate`), open requests are claimed and the worker is called for
//! them (`work`). Postgres is called under a policy of recovery's own, one call at a time (`RecoveryStore`); the worker under
//! that of live calls, as often at once as `ramp` allows. Nothing is called while its breaker would refuse; what an outage
//! costs is not counted (`attribution`).

mod attribution;
mod batch;
mod journal_gate;
mod progress;
mod ramp;
mod rate;
mod record;
mod replay;
mod retention;
mod retention_pace;
mod store;
mod work;

use std::time::Duration;

use holdfast_ops::Readiness;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::journal_gate::{Claims, JournalGate, Pass};
pub(crate) use self::progress::{Count, Progress};
use self::replay::Replay;
use self::retention::Retention;
pub(crate) use self::store::RecoveryStore;
use self::work::Work;
use crate::config::Policies;
use crate::journal::Journal;
use crate::open_work::OpenWork;
use crate::store::Table;
use crate::worker_client::{ResilientWorker, WorkClient};

const TICK: Duration = Duration::from_millis(100);
/// After a call that failed; the breaker asks for more if there is reason to.
const PAUSE: Duration = Duration::from_millis(500);

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
pub(crate) struct Recovery<T, W> {
    pub(crate) rules: Rules,
    pub(crate) store: RecoveryStore<T>,
    pub(crate) journal: Option<Journal>,
    pub(crate) worker: ResilientWorker<W>,
    pub(crate) open_work: OpenWork,
    pub(crate) progress: Progress,
}

impl<T: Table, W: WorkClient> Recovery<T, W> {
    /// Recovers for ever. Once the service drains, nothing new is claimed; what is under way ends, and the journal goes on
    /// to Postgres for as long as the process lives.
    pub(crate) async fn run(self, readiness: Readiness) {
        let (store, progress) = (self.store.clone(), self.progress.clone());
        let retention = Retention::new(store, progress, self.rules.keep);
        tokio::join!(Box::pin(self.recover(readiness)), Box::pin(retention.run()));
    }

    async fn recover(self, readiness: Readiness) {
        let mut replay = self.journal.clone().map(|it| Replay::new(&self, it));
        let mut gate = JournalGate::new(replay.is_some());
        let store = self.store.clone();
        let mut work = Work::new(self);
        let mut next_replay = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(replay) = &mut replay
                && Instant::now() >= next_replay
            {
                let pass = replay.run().await;
                gate.passed(pass, Instant::now());
                if pass == Pass::Failed {
                    next_replay = Instant::now() + PAUSE;
                }
            }
            store.probe().await;
            work.settle().await;
            match gate.claims(Instant::now()) {
                Claims::Wait => {}
                claims if readiness.is_ready() => work.claim(claims).await,
                _ => {}
            }
        }
    }
}
