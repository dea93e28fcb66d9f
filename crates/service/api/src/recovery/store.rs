//! What recovery asks of Postgres, under a policy of its own, over sessions of its own.
//!
//! None of it decides the breaker of live calls: a backlog that is slow to claim or an entry behind somebody's lock says
//! nothing about the statements of live calls. The other way round it does: while their breaker refuses, recovery asks
//! nothing either, and when its time is over one harmless statement goes through it as a probe. One call at a time is the
//! low priority: whatever there is to catch up on, it is one statement beside those of live calls, and one that deletes.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::BreakerState;
use holdfast_wire::Degraded;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::journal::Entry;
use crate::process::WorkResult;
use crate::store::{
    Claimed, CompletedOpen, FailureOutcome, Forgotten, OpenRequest, Replayed, Table,
};

/// Recovery's view of the table of requests. Clones take turns.
#[derive(Clone)]
pub(crate) struct RecoveryStore<T> {
    /// As live calls know it: asked for leave, never told.
    live: Arc<Dependency>,
    own: Arc<Dependency>,
    table: T,
    turn: Arc<Mutex<()>>,
    /// How long one call may take, and as long may the wait for its turn.
    limit: Duration,
}

impl<T: Table> RecoveryStore<T> {
    /// `table`, called through its `own` policy while that of `live` calls lets calls through; `limit` is its deadline.
    #[must_use]
    pub(crate) fn new(
        live: Arc<Dependency>,
        own: Arc<Dependency>,
        table: T,
        limit: Duration,
    ) -> Self {
        Self {
            live,
            own,
            table,
            turn: Arc::default(),
            limit,
        }
    }

    /// Whether a call makes sense now: only while live calls may make theirs, and recovery's own policy refuses none.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        let live = self.live.snapshot().breaker;
        matches!(live, BreakerState::Closed | BreakerState::Disabled) && self.own.may_call()
    }

    /// Tries the database through the policy of live calls, if its breaker waits for a probe: an outage must end also when
    /// nobody calls.
    pub(crate) async fn probe(&self) {
        let state = self.live.snapshot().breaker;
        let waits = matches!(state, BreakerState::Open | BreakerState::HalfOpen);
        if waits && self.live.may_call() {
            let _ = self.live.call(None, || self.table.probe()).await;
        }
    }

    /// Claims the oldest open requests that nobody holds. Past the policy: that there is too much to look through in time
    /// says nothing about other statements, so the caller asks for less, later.
    ///
    /// # Errors
    /// What is missing; so do all below.
    pub(crate) async fn claim(
        &self,
        count: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Result<Vec<OpenRequest>, Degraded> {
        let claim = self.table.claim(count, lease, longest_lease);
        self.in_turn(self.own.call_bypassing_policy(self.limit, claim))
            .await
    }

    /// Records a request's result.
    pub(crate) async fn complete(
        &self,
        id: Uuid,
        result: &WorkResult,
    ) -> Result<CompletedOpen, Degraded> {
        self.call(|| {
            self.table
                .complete_open(id, result.response.get(), result.attempts)
        })
        .await
    }

    /// Records that an open request failed.
    pub(crate) async fn give_up(&self, id: Uuid, error: &str) -> Result<(), Degraded> {
        self.call(|| self.table.give_up(id, error)).await
    }

    /// Keeps a request for another `lease`; `None` if it is not ours any more.
    pub(crate) async fn extend(
        &self,
        claimed: Claimed,
        lease: Duration,
    ) -> Result<Option<Claimed>, Degraded> {
        self.call(|| self.table.extend(claimed, lease)).await
    }

    /// Gives a request back without counting anything; nobody may claim it for `pause`.
    pub(crate) async fn give_back(
        &self,
        claimed: Claimed,
        pause: Duration,
    ) -> Result<(), Degraded> {
        self.call(|| self.table.give_back(claimed, pause)).await
    }

    /// Counts a failure of the request's own.
    pub(crate) async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Result<FailureOutcome, Degraded> {
        self.call(|| {
            self.table
                .count_failure(claimed, error, max_attempts, pause)
        })
        .await
    }

    /// Records journal entries, all or none. Past the policy: an entry that takes too long says nothing about others.
    pub(crate) async fn replay(&self, entries: &[Entry]) -> Result<Replayed, Degraded> {
        // On the heap: with the opening of a session in it, it is large.
        let replay = Box::pin(self.table.replay(entries, self.limit / 4));
        self.in_turn(self.own.call_bypassing_policy(self.limit, replay))
            .await
    }

    /// Records that the database refuses `entry` for good, as failed.
    pub(crate) async fn refuse(&self, entry: &Entry, error: &str) -> Result<Replayed, Degraded> {
        self.call(|| self.table.refuse(entry, error)).await
    }

    /// Deletes a portion of what was kept for longer than `keep`, beside the other calls. Past the policy, as the next:
    /// nothing is owed to anybody, so a database that is gone must not be found out by this.
    pub(crate) async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Result<Forgotten, Degraded> {
        let forget = self.table.forget(keep, portion, from);
        self.own.call_bypassing_policy(self.limit, forget).await
    }

    /// For how long the oldest done request has been kept.
    pub(crate) async fn oldest_kept(
        &self,
        from: Option<Timestamp>,
    ) -> Result<Option<Duration>, Degraded> {
        let oldest = self.table.oldest_kept(from);
        self.own.call_bypassing_policy(self.limit, oldest).await
    }

    /// How long one call may take, and as long may the wait for its turn.
    #[must_use]
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    async fn call<A, Fut>(&self, operation: impl Fn() -> Fut + Clone) -> Result<A, Degraded>
    where
        Fut: Future<Output = Result<A, T::Error>>,
    {
        // On the heap: all that wraps it is polled on one thread's stack.
        self.in_turn(Box::pin(self.own.call(None, operation))).await
    }

    /// On timeout the caller falls back to the journal, or to a lease that ends.
    async fn in_turn<A>(
        &self,
        call: impl Future<Output = Result<A, Degraded>>,
    ) -> Result<A, Degraded> {
        let turn = timeout(self.limit, self.turn.lock()).await;
        let _turn = turn.map_err(|_| self.own.unavailability())?;
        if !self.may_call() {
            return Err(self.own.unavailability());
        }
        call.await
    }
}
