//! The core of a replica: the use case, recovery and what is owed, over any table of requests and any worker.
//!
//! `assembly` makes one over Postgres and HTTP; the simulation makes several over a world of its own. What must not be
//! true: either of them wires something that stands here differently.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::clock::WallClock;
use crate::config::Policies;
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::journal::Journal;
use crate::open_work::OpenWork;
use crate::process::Process;
use crate::recovery::{self, Progress, Recovery, RecoveryStore};
use crate::store::{LiveMetrics, LiveStore, Table};
use crate::worker_client::{ResilientWorker, WorkClient};

/// What a replica is made of.
pub(crate) struct Parts<T, W> {
    pub(crate) policies: Arc<Current<Policies>>,
    pub(crate) dependencies: Dependencies,
    pub(crate) client: W,
    /// The table of requests, for live calls.
    pub(crate) live: T,
    /// The same, for recovery.
    pub(crate) open: T,
    pub(crate) journal: Option<Journal>,
    pub(crate) clock: WallClock,
    pub(crate) metrics: LiveMetrics,
}

/// What it is made into.
pub(crate) struct Replica<T: Table, W> {
    pub(crate) process: Process<LiveStore<T>, ResilientWorker<W>>,
    pub(crate) recovery: Recovery<T, W>,
    pub(crate) open_work: OpenWork,
}

impl<T: Table, W: WorkClient> Replica<T, W> {
    /// Puts the parts together; must be called inside the runtime that flushes shall live on.
    pub(crate) fn new(parts: Parts<T, W>) -> Self {
        let policies = parts.policies.get();
        let Dependencies {
            worker,
            database,
            catching_up,
        } = parts.dependencies;
        let progress = Progress::default();
        let met = progress.clone();
        let requests = LiveStore::new(
            &database,
            &parts.live,
            policies.recovery.lease,
            &Handle::current(),
            parts.metrics,
            Arc::new(move |ids| met.conflicts(ids)),
        );
        let worker = ResilientWorker::new(worker, parts.client, parts.clock);
        let open_work = OpenWork::new(parts.journal.clone(), policies.recovery.max_open);
        let recovery = Recovery {
            rules: recovery::Rules::from(&*policies),
            store: RecoveryStore::new(
                database,
                catching_up,
                parts.open,
                policies.database.deadline,
            ),
            journal: parts.journal.clone(),
            worker: worker.clone(),
            open_work: open_work.clone(),
            progress,
        };
        let process = Process::new(
            parts.policies,
            requests,
            parts.journal,
            worker,
            open_work.clone(),
        );
        Self {
            process,
            recovery,
            open_work,
        }
    }
}
