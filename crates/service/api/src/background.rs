//! What goes on beside the calls of clients, on the caller's runtime: on an HTTP thread's it would end with that thread.

use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::Readiness;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::dependency::Dependency;
use crate::ends::Ends;
use crate::http::{Feed, keep_feeding};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::open_work::OpenWork;
use crate::operator::Operator;
use crate::overview::Overview;
use crate::records::ended_in_journal;
use crate::recovery::Recovery;
use crate::store::{ReadStore, SchemaWatch, Store, Wanted};
use crate::worker_client::Endpoints;

const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// The parts that go on by themselves, and what they need.
pub(crate) struct Background {
    pub(crate) readiness: Readiness,
    pub(crate) recovery: Recovery<Store, Endpoints>,
    pub(crate) open_work: OpenWork,
    pub(crate) ends: Ends,
    pub(crate) journal: Option<Journal>,
    /// Time for one read in the journal.
    pub(crate) journal_deadline: Duration,
    pub(crate) operator: Operator,
    /// Orders of operators wait while it would refuse.
    pub(crate) worker: Arc<Dependency>,
    pub(crate) reads: ReadStore,
    pub(crate) schema: SchemaWatch,
    /// How long a migration waits for a lock: no longer than live calls.
    pub(crate) lock_wait: Duration,
    /// For those who look at the server itself.
    pub(crate) server: Store,
    /// What the server must grant.
    pub(crate) wanted: Wanted,
    pub(crate) metrics: Metrics,
    pub(crate) overview: Arc<Overview>,
    pub(crate) feed: Feed,
}

impl Background {
    /// Tasks that end when the set is dropped.
    pub(crate) fn spawn(self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let reads = self.reads.clone();
        tasks.spawn(
            self.open_work
                .keep_counting(async move || reads.count_open().await),
        );
        let lock_wait = self.lock_wait;
        tasks.spawn(self.schema.keep_current(self.server.clone(), lock_wait));
        tasks.spawn(self.wanted.keep_comparing(self.server));
        tasks.spawn(self.recovery.run(self.readiness.clone()));
        if let Some(journal) = self.journal {
            let (ends, deadline) = (self.ends.clone(), self.journal_deadline);
            tasks.spawn(ends.keep_looking_into_journal(async move |ids| {
                ended_in_journal(&journal, ids, deadline).await
            }));
        }
        let (looks, reads) = (self.reads.clone(), self.reads);
        tasks.spawn(self.ends.keep_looking(
            self.readiness.clone(),
            async move |since| looks.ended(since).await.ok(),
            async move |ids| reads.find_all(ids).await.ok(),
        ));
        let worker = self.worker;
        tasks.spawn(
            self.operator
                .keep_requeueing(self.readiness, move || worker.may_call()),
        );
        let metrics = self.metrics.clone();
        tasks.spawn(keep_feeding(self.overview, self.metrics, self.feed));
        tasks.spawn(async move {
            loop {
                sleep(UPKEEP_PERIOD).await;
                metrics.run_upkeep();
            }
        });
        tasks
    }
}
