//! Open requests: claimed, worked on, and given back, done or failed.

use std::sync::Arc;
use std::time::Duration;

use holdfast_wire::{Degraded, Reason};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::attribution::{
    Attribution, MAX_PAUSE, REQUEUE_DELAY, SUSPECTED_FOR, UnattributedFailure,
    UnattributedFailures, pause_after,
};
use super::batch::AdaptiveBatch;
use super::journal_gate::Claims;
use super::progress::Count;
use super::ramp::ConcurrencyRamp;
use super::record::Recorded;
use super::{PAUSE, Recovery};
use crate::process::Worker as _;
use crate::store::{Claimed, FailureOutcome, OpenRequest, Table};
use crate::trace;
use crate::worker_client::WorkClient;

/// Between two claims when there was nothing to claim.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The longest pause after a claim that did not end in time.
const MAX_CLAIM_PAUSE: Duration = Duration::from_secs(10);

/// The requests in the works.
pub(super) struct Work<T, W> {
    recovery: Arc<Recovery<T, W>>,
    tasks: JoinSet<Ended>,
    ramp: ConcurrencyRamp,
    suspects: UnattributedFailures,
    /// How much one claim takes on, and how long after one that did not end in time.
    claims: AdaptiveBatch,
    claim_pause: Duration,
    next_claim: Instant,
}

/// How one ended.
enum Ended {
    /// The worker did it, which took so long. What that counts as; `None`: it was cancelled meanwhile.
    Worked(Uuid, Duration, Option<Count>),
    Returned,
    /// The worker was not called: the journal knows of it.
    Aside,
    UnattributedFailure(UnattributedFailure),
}

impl<T: Table, W: WorkClient> Work<T, W> {
    pub(super) fn new(recovery: Recovery<T, W>) -> Self {
        Self {
            ramp: ConcurrencyRamp::new(recovery.rules.max_concurrent),
            claims: AdaptiveBatch::new(recovery.rules.max_concurrent),
            claim_pause: PAUSE,
            recovery: Arc::new(recovery),
            tasks: JoinSet::new(),
            suspects: UnattributedFailures::default(),
            next_claim: Instant::now(),
        }
    }

    /// Takes note of what has ended and acts on what has become clear.
    pub(super) async fn settle(&mut self) {
        let normal = self.recovery.worker.normal_latency();
        while let Some(ended) = self.tasks.try_join_next() {
            let count = match ended {
                Ok(Ended::Worked(id, took, count)) => {
                    self.ramp.succeeded(took, normal);
                    self.suspects.cleared(id);
                    let Some(count) = count else { continue };
                    count
                }
                Ok(Ended::Aside) => continue,
                Ok(Ended::UnattributedFailure(suspect)) => {
                    self.ramp.failed();
                    self.suspects.add(suspect);
                    continue;
                }
                Ok(Ended::Returned) | Err(_) => {
                    self.ramp.failed();
                    Count::Returned
                }
            };
            self.recovery.progress.count(count, 1, Instant::now());
        }
        let closed = self.recovery.worker.is_well();
        let worker = &self.recovery.worker;
        let last_success = |endpoint| worker.last_success(endpoint);
        for attribution in self.suspects.judge(closed, last_success, Instant::now()) {
            self.recovery.act_on(attribution).await;
        }
        self.show();
    }

    /// Claims as many open requests as the ramp allows and starts on them, in the way that `claims` says.
    pub(super) async fn claim(&mut self, claims: Claims) {
        let free = self.limit().saturating_sub(self.in_flight());
        let recovery = &self.recovery;
        let something_to_do = recovery.open_work.is_there();
        let nobody_refuses = recovery.store.may_call() && recovery.worker.may_call();
        if free == 0 || Instant::now() < self.next_claim || !something_to_do || !nobody_refuses {
            return;
        }
        // A caller's own request does not wait for a turn: the configured lease covers all but that.
        let lease = recovery.rules.lease + recovery.store.limit();
        // Twice, for replicas that are configured otherwise.
        let longest_lease = lease.max(recovery.suspicion()).max(MAX_PAUSE) * 2;
        let count = free.min(self.claims.size());
        match recovery.store.claim(count, lease, longest_lease).await {
            Ok(claimed) => {
                self.claims.went_well();
                self.claim_pause = PAUSE;
                if claimed.is_empty() {
                    self.next_claim = Instant::now() + POLL_INTERVAL;
                }
                for open in claimed {
                    let id = open.claimed.id;
                    let deferral = recovery.open_work.deferred_traces.of(id);
                    // On the heap: it is large, and what wraps it is polled on a worker thread's stack.
                    let avoided = self.suspects.refused_by(id);
                    let work = Box::pin(Arc::clone(recovery).work_on(open, avoided, claims));
                    self.tasks.spawn(trace::recovering(id, deferral, work));
                }
            }
            Err(missing) => self.defer_claims(&missing),
        }
        self.show();
    }

    fn defer_claims(&mut self, missing: &Degraded) {
        if missing.reason == Reason::AttemptTimeout {
            self.claims.timed_out();
            self.claim_pause = (self.claim_pause * 2).min(MAX_CLAIM_PAUSE);
            tracing::warn!(
                next = self.claims.size(),
                "open work could not be claimed in time: less of it, later"
            );
        }
        self.next_claim = Instant::now() + self.claim_pause;
    }

    fn limit(&self) -> u32 {
        self.ramp.limit(self.recovery.worker.is_well())
    }

    fn in_flight(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    fn show(&self) {
        self.recovery.progress.set(self.in_flight(), self.limit());
    }
}

impl<T: Table, W: WorkClient> Recovery<T, W> {
    async fn work_on(
        self: Arc<Self>,
        open: OpenRequest,
        avoided: Option<u32>,
        claims: Claims,
    ) -> Ended {
        let claimed = open.claimed;
        if claims == Claims::AskJournal && self.is_known_to_journal(claimed).await {
            return Ended::Aside;
        }
        let asked = Instant::now();
        let worked = self.worker.work_unattended(claimed.id, avoided).await;
        match worked.result {
            Ok(result) => {
                let took = asked.elapsed();
                let count = match Box::pin(self.record(open, result)).await {
                    Recorded::In(location) => {
                        tracing::info!(request_id = %claimed.id, "done later, recorded in {location}");
                        Some(Count::Done)
                    }
                    Recorded::Cancelled => None,
                    Recorded::Refused => Some(Count::Failed),
                    Recorded::Nowhere => return Ended::Returned,
                };
                Ended::Worked(claimed.id, took, count)
            }
            Err(missing) if may_be_its_own(&missing) => {
                self.suspect(claimed, missing, worked.endpoint).await
            }
            Err(_) => {
                // If this fails too, the lease ends by itself.
                let _ = self.store.give_back(claimed, REQUEUE_DELAY).await;
                Ended::Returned
            }
        }
    }

    /// How long the lease of a suspect lasts: until it is judged, and then until the turn and the end of the call that says
    /// so.
    fn suspicion(&self) -> Duration {
        SUSPECTED_FOR + self.store.limit() * 3
    }

    async fn suspect(&self, claimed: Claimed, missing: Degraded, endpoint: u32) -> Ended {
        let (since, success_before) = (Instant::now(), self.worker.last_success(endpoint));
        match self.store.extend(claimed, self.suspicion()).await {
            Ok(Some(claimed)) => Ended::UnattributedFailure(UnattributedFailure {
                claimed,
                error: missing.detail,
                endpoint,
                since,
                success_before,
            }),
            _ => Ended::Returned,
        }
    }

    async fn act_on(&self, attribution: Attribution) {
        match attribution {
            Attribution::Worker { claimed, pause } => {
                let _ = self.store.give_back(claimed, pause).await;
                self.progress.count(Count::Returned, 1, Instant::now());
            }
            Attribution::Request(UnattributedFailure { claimed, error, .. }) => {
                let pause = pause_after(claimed.failures);
                let max_attempts = self.rules.max_attempts;
                let counted = self
                    .store
                    .count_failure(claimed, &error, max_attempts, pause);
                if counted.await == Ok(FailureOutcome::GaveUp) {
                    tracing::error!(request_id = %claimed.id, error, "given up: failed");
                    self.progress.count(Count::Failed, 1, Instant::now());
                } else {
                    tracing::warn!(request_id = %claimed.id, error, "failed by its own fault");
                    self.progress.count(Count::Returned, 1, Instant::now());
                }
            }
        }
    }
}

/// Rejections, timeouts and connections that fail are the dependency's fault, whichever request it is.
fn may_be_its_own(missing: &Degraded) -> bool {
    matches!(missing.reason, Reason::BadStatus | Reason::BadResponse)
}
