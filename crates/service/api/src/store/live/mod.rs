//! What live calls write: gathered into few statements, under the database's policy.

mod batch;
mod both;
mod finish;
mod group_commit;
mod insert;
mod state;
mod told;
pub(super) mod whole;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::Degraded;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub(super) use self::batch::Batch;
pub use self::batch::Written;
pub(super) use self::both::write_both;
pub(super) use self::finish::Finish;
pub use self::finish::{EndRow, Finished};
pub(crate) use self::group_commit::FlushMetrics;
use self::group_commit::{GroupCommit, Write};
pub(super) use self::insert::{Insert, InsertKeyed, by_key};
pub use self::insert::{Inserted, NewRow};
pub(super) use self::state::by_ids;
use self::writes::{Keyed, Row, Unkeyed, statement_refused};
use super::Table;
use crate::dependency::Dependency;
use crate::journal::Entry;
use crate::process::{
    Completion, ExistingRequest, InsertOutcome, NewRequest, Owner, RequestState, Requests,
    WorkResult,
};

/// Between two tries to write to a row that somebody holds locked, or deletes.
const PAUSE: Duration = Duration::from_millis(50);

/// What is known of the flushes of each writer.
#[derive(Clone)]
pub(crate) struct LiveMetrics {
    pub(crate) unkeyed: FlushMetrics,
    pub(crate) keyed: FlushMetrics,
}

/// Is told the requests of which two ends met.
pub(crate) type OnConflicts = Arc<dyn Fn(&[Uuid]) + Send + Sync>;

/// The table of requests as live calls see it. Clones share all.
#[derive(Clone)]
pub(crate) struct LiveStore<T: Table> {
    dependency: Arc<Dependency>,
    table: T,
    lease: Duration,
    conflicts: OnConflicts,
    unkeyed: GroupCommit<Unkeyed<T>>,
    keyed: GroupCommit<Keyed<T>>,
}

impl<T: Table> LiveStore<T> {
    /// Writes to `table` through `dependency`; what it inserts belongs to the caller for `lease`.
    #[must_use]
    pub(crate) fn new(
        dependency: &Arc<Dependency>,
        table: &T,
        lease: Duration,
        runtime: &Handle,
        metrics: LiveMetrics,
        conflicts: OnConflicts,
    ) -> Self {
        let unkeyed = writer(Unkeyed(table.clone()), dependency, runtime, metrics.unkeyed);
        let keyed = Keyed {
            table: table.clone(),
            unkeyed: unkeyed.clone(),
        };
        Self {
            unkeyed,
            keyed: writer(keyed, dependency, runtime, metrics.keyed),
            dependency: Arc::clone(dependency),
            table: table.clone(),
            lease,
            conflicts,
        }
    }

    fn released(&self, id: Uuid) -> Row {
        Row::End(EndRow::released(id, self.lease.as_secs_f64()))
    }

    async fn write_new(
        &self,
        request: &NewRequest,
        owner: Owner,
        deadline: Deadline,
    ) -> Result<Written<Inserted>, Degraded> {
        let row = NewRow {
            id: request.id,
            key: request.key.clone().unwrap_or_default(),
            payload: request.body().map(str::to_owned),
            lease: matches!(owner, Owner::Caller).then(|| self.lease.as_secs_f64()),
        };
        match request.key {
            Some(_) => self.keyed.write(row, deadline).await,
            None => self.unkeyed.write(Row::New(row), deadline).await,
        }
    }

    /// Records `request` as failed, without its body: what Postgres refuses may be in it.
    async fn refused(
        &self,
        request: &NewRequest,
        error: String,
        deadline: Deadline,
    ) -> Result<InsertOutcome, Degraded> {
        tracing::error!(error, "Postgres refuses this request");
        let fail = || self.table.record_failed(request, &error);
        match self.call(deadline, fail).await {
            Ok(()) => Ok(InsertOutcome::Rejected { error }),
            Err(missing) => Err(missing),
        }
    }

    /// Records `request` for recovery; without its key, where that stands for another one by now.
    async fn record_anew(&self, request: &NewRequest, deadline: Deadline) -> Result<(), Degraded> {
        let inserted = self.insert(request, Owner::Recovery, deadline).await?;
        if matches!(inserted, InsertOutcome::Existing(it) if it.id != request.id) {
            let keyless = NewRequest {
                key: None,
                ..request.clone()
            };
            self.insert(&keyless, Owner::Recovery, deadline).await?;
        }
        Ok(())
    }

    /// A call of its own, which is rare. Boxed: it is large, and the future of each request, which is moved from thread to
    /// thread, would carry it.
    async fn call<A, F, Fut>(&self, deadline: Deadline, operation: F) -> Result<A, Degraded>
    where
        F: Fn() -> Fut + Clone,
        Fut: Future<Output = Result<A, T::Error>>,
    {
        Box::pin(self.dependency.call(Some(deadline), operation)).await
    }

    /// Before another try; an error where the time for it is over.
    async fn pause(&self, deadline: Deadline, started: Instant) -> Result<(), Degraded> {
        if deadline.remaining(Instant::now()) <= PAUSE {
            return Err(self.dependency.out_of_time(started.elapsed()));
        }
        sleep(PAUSE).await;
        Ok(())
    }
}

fn writer<W: Write>(
    write: W,
    dependency: &Arc<Dependency>,
    runtime: &Handle,
    metrics: FlushMetrics,
) -> GroupCommit<W> {
    GroupCommit::new(write, Arc::clone(dependency), runtime.clone(), metrics)
}

impl<T: Table> Requests for LiveStore<T> {
    async fn insert(
        &self,
        request: &NewRequest,
        owner: Owner,
        deadline: Deadline,
    ) -> Result<InsertOutcome, Degraded> {
        let started = Instant::now();
        let deadline =
            deadline.earlier(Deadline::after(self.dependency.policy().config().deadline));
        loop {
            match self.write_new(request, owner, deadline).await? {
                Written::Run(Inserted::Ours) => return Ok(InsertOutcome::Inserted),
                Written::Run(Inserted::Existing(existing)) => {
                    return Ok(InsertOutcome::Existing(existing));
                }
                // A person or a job that makes keys stand for nothing may do so again and again.
                Written::Run(Inserted::KeyFreed | Inserted::Gone) => {
                    self.pause(deadline, started).await?;
                }
                Written::RowLocked => return Err(self.dependency.out_of_time(started.elapsed())),
                Written::RowRefused(error) => return self.refused(request, error, deadline).await,
                Written::StatementRefused(attribution) => {
                    return Err(statement_refused(&self.dependency, attribution));
                }
            }
        }
    }

    async fn complete(
        &self,
        request: &NewRequest,
        result: &WorkResult,
        deadline: Deadline,
    ) -> Result<Completion, Degraded> {
        let started = Instant::now();
        let end = EndRow {
            id: request.id,
            response: Some(result.response.get().to_owned()),
            attempts: i32::try_from(result.attempts).unwrap_or(i32::MAX),
            lease: None,
        };
        let deadline =
            deadline.earlier(Deadline::after(self.dependency.policy().config().deadline));
        loop {
            let end = Row::End(end.clone());
            let state = match self.unkeyed.write(end, deadline).await? {
                Written::Run(Inserted::Ours) => return Ok(Completion::Recorded),
                Written::Run(Inserted::Existing(existing)) => Some(existing.state),
                Written::Run(Inserted::Gone | Inserted::KeyFreed) => None,
                Written::RowLocked => Some(RequestState::Running),
                Written::RowRefused(error) => {
                    tracing::error!(error, "Postgres refuses this result");
                    let give_up = || self.table.give_up(request.id, &error);
                    self.call(deadline, give_up).await?;
                    return Ok(Completion::EndedOtherwise(RequestState::Failed(error)));
                }
                Written::StatementRefused(attribution) => {
                    return Err(statement_refused(&self.dependency, attribution));
                }
            };
            match state {
                None => {
                    tracing::warn!("the request is gone from Postgres: it is recorded anew");
                    let record = || self.table.record(request, result);
                    self.call(deadline, record).await?;
                    // What stands there now is looked into like all else.
                    self.pause(deadline, started).await?;
                }
                // Somebody holds the row.
                Some(RequestState::Running | RequestState::Waiting) => {
                    self.pause(deadline, started).await?;
                }
                Some(ended) if ended.response() == Some(&result.response) => {
                    return Ok(Completion::Recorded);
                }
                Some(ended) => return Ok(Completion::EndedOtherwise(ended)),
            }
        }
    }

    async fn put_back(&self, told: &Entry, deadline: Deadline) -> Result<(), Degraded> {
        self.replay_told(told, deadline).await
    }

    async fn release(&self, request: &NewRequest, deadline: Deadline) -> Result<(), Degraded> {
        match self
            .unkeyed
            .write(self.released(request.id), deadline)
            .await?
        {
            Written::Run(Inserted::Gone | Inserted::KeyFreed) => {
                tracing::warn!("the request is gone from Postgres: it is recorded anew");
                self.record_anew(request, deadline).await
            }
            _ => Ok(()),
        }
    }

    fn abandon(&self, id: Uuid) {
        if self.dependency.may_call() {
            self.unkeyed.write_unattended(self.released(id));
        }
    }

    async fn state_of(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<ExistingRequest>, Degraded> {
        let look = || self.table.by_id(id);
        self.call(deadline, look).await
    }

    async fn existing_under(
        &self,
        key: &str,
        body: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<ExistingRequest>, Degraded> {
        let look = || self.table.by_key(key, body);
        self.call(deadline, look).await
    }

    fn unavailability(&self) -> Degraded {
        self.dependency.unavailability()
    }
}
