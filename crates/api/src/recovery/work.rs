//! Open requests: claimed, worked on, and given back, done or failed.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Reason};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::pace::Pace;
use super::progress::Count;
use super::suspects::{SUSPECTED_FOR, Suspect, Suspects, Verdict};
use super::{PAUSE, Recovery};
use crate::journal::{End, Entry};
use crate::process::{WorkResult, Worker};
use crate::store::{Claimed, Given};
use crate::trace;

/// Between two looks when there was nothing to claim.
const IDLE: Duration = Duration::from_secs(1);
/// How long a request that was given back leaves the way to others.
const OTHERS_FIRST: Duration = Duration::from_secs(1);
/// The longest a request waits after a failure of its own; the first wait is a second, and each is twice the last.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The requests in the works.
pub(super) struct Work {
    recovery: Arc<Recovery>,
    tasks: JoinSet<Ended>,
    pace: Pace,
    suspects: Suspects,
    next_claim: Instant,
}

/// How one ended.
enum Ended {
    Done,
    Returned,
    Suspect(Suspect),
}

impl Work {
    pub(super) fn new(recovery: Recovery) -> Self {
        Self {
            pace: Pace::new(recovery.rules.max_concurrent),
            recovery: Arc::new(recovery),
            tasks: JoinSet::new(),
            suspects: Suspects::default(),
            next_claim: Instant::now(),
        }
    }

    /// Takes note of what has ended and acts on what has become clear.
    pub(super) async fn settle(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            let count = match ended {
                Ok(Ended::Done) => {
                    self.pace.succeeded();
                    Count::Done
                }
                Ok(Ended::Suspect(suspect)) => {
                    self.pace.failed();
                    self.suspects.add(suspect);
                    continue;
                }
                Ok(Ended::Returned) | Err(_) => {
                    self.pace.failed();
                    Count::Returned
                }
            };
            self.recovery.progress.count(count, 1, Instant::now());
        }
        let closed = self.recovery.worker.is_well();
        for verdict in self.suspects.judge(closed, Instant::now()) {
            self.recovery.act_on(verdict).await;
        }
        self.show();
    }

    /// Claims as many open requests as the pace allows and starts on them.
    pub(super) async fn claim(&mut self) {
        let free = self.limit().saturating_sub(self.in_flight());
        let recovery = &self.recovery;
        let something_to_do = recovery.open_work.is_there() || !recovery.backlog.is_well();
        let nobody_refuses = recovery.backlog.may_call() && recovery.worker.may_call();
        if free == 0 || Instant::now() < self.next_claim || !something_to_do || !nobody_refuses {
            return;
        }
        // A caller's own request does not wait for a turn: the configured lease covers all but that.
        let lease = recovery.rules.lease + recovery.backlog.limit();
        match recovery.backlog.claim(free, lease).await {
            Ok(claimed) => {
                if claimed.is_empty() {
                    self.next_claim = Instant::now() + IDLE;
                }
                for claimed in claimed {
                    let id = claimed.id;
                    let work = Arc::clone(recovery).work_on(claimed);
                    self.tasks.spawn(trace::recovering(id, work));
                }
            }
            Err(_) => self.next_claim = Instant::now() + PAUSE,
        }
        self.show();
    }

    fn limit(&self) -> u32 {
        self.pace.limit(self.recovery.worker.is_well())
    }

    fn in_flight(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    fn show(&self) {
        self.recovery.progress.set(self.in_flight(), self.limit());
    }
}

impl Recovery {
    async fn work_on(self: Arc<Self>, claimed: Claimed) -> Ended {
        match self.worker.work(claimed.id, None).await {
            Ok(worked) => self.record(claimed, worked).await,
            Err(missing) if may_be_its_own(&missing) => self.suspect(claimed, missing).await,
            Err(_) => {
                // If this fails too, the lease ends by itself.
                let _ = self.backlog.give_back(claimed, OTHERS_FIRST).await;
                Ended::Returned
            }
        }
    }

    /// Its lease must last for as long as it is suspected, and then until its turn and the end of the call that judges it.
    async fn suspect(&self, claimed: Claimed, missing: Degraded) -> Ended {
        let lease = SUSPECTED_FOR + self.backlog.limit() * 3;
        match self.backlog.extend(claimed, lease).await {
            Ok(Some(claimed)) => Ended::Suspect(Suspect {
                claimed,
                error: missing.detail,
                since: Instant::now(),
            }),
            _ => Ended::Returned,
        }
    }

    /// In the journal if Postgres cannot: the work is done and need not be done again.
    async fn record(&self, claimed: Claimed, worked: WorkResult) -> Ended {
        let id = claimed.id;
        if self.backlog.complete(id, &worked).await.is_ok() {
            tracing::info!(request_id = %id, "done later, recorded in Postgres");
            return Ended::Done;
        }
        let Some(journal) = &self.journal else {
            return Ended::Returned;
        };
        let entry = Entry {
            id,
            // Its row is in Postgres and has these.
            key: None,
            payload: None,
            received_at: received_at(id),
            end: Some(End {
                response: worked.response,
                attempts: worked.attempts,
                completed_at: Timestamp::now(),
            }),
        };
        let deadline = Deadline::after(self.rules.journal_deadline);
        match journal.append(&entry, deadline).await {
            Ok(_) => {
                tracing::info!(request_id = %id, "done later, recorded in the journal");
                Ended::Done
            }
            Err(error) => {
                tracing::error!(request_id = %id, %error, "done later, recorded nowhere: will be done again");
                Ended::Returned
            }
        }
    }

    async fn act_on(&self, verdict: Verdict) {
        match verdict {
            Verdict::Innocent(claimed) => {
                let _ = self.backlog.give_back(claimed, OTHERS_FIRST).await;
                self.progress.count(Count::Returned, 1, Instant::now());
            }
            Verdict::Guilty(Suspect { claimed, error, .. }) => {
                let wait = wait_after(claimed.failures);
                let most = self.rules.max_attempts;
                let counted = self.backlog.count_failure(claimed, &error, most, wait);
                if counted.await == Ok(Given::Up) {
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

/// Rejections, timeouts and connections that fail are the dependency's fault, whoever calls.
fn may_be_its_own(missing: &Degraded) -> bool {
    matches!(missing.reason, Reason::BadStatus | Reason::BadResponse)
}

/// A UUIDv7 says when it was made.
fn received_at(id: Uuid) -> Timestamp {
    let (seconds, nanoseconds) = id.get_timestamp().map_or((0, 0), |at| at.to_unix());
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn wait_after(failures: u32) -> Duration {
    Duration::from_secs(1_u64.checked_shl(failures).unwrap_or(u64::MAX)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_half_a_minute() {
        let waits = [0, 1, 4, 5, 100].map(|failures| wait_after(failures).as_secs());
        assert_eq!(waits, [1, 2, 16, 30, 30]);
    }
}
