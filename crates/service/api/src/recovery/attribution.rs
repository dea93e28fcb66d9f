//! Failure attribution: was it the request, or the worker?
//!
//! A worker that answers an error may be refusing this request or be failing altogether, and the answer alone does not tell
//! which. So a refused request is suspected for a while. The failure is the request's own only if the endpoint that refused it did
//! *other* requests well shortly before and after, and the worker's breaker stayed closed. Both sides, or the success that ends a short
//! outage would convict all that the outage refused. A worker that refuses everybody does nobody's work, so however long
//! that lasts nothing counts; without other requests there is no evidence either, and the request stays owed.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::store::Claimed;

/// How long after a refusal the worker has to do another request well. A few tries of its other callers fit into it.
pub(super) const SUSPECTED_FOR: Duration = Duration::from_secs(3);
/// How long before it.
const RECENTLY: Duration = Duration::from_secs(5);
/// How long a request leaves the way to others when the worker was missing: the breaker sets the pace of an outage.
pub(super) const REQUEUE_DELAY: Duration = Duration::from_secs(1);
/// The longest pause after a refusal; the first is a second, and each is twice the last.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Requests whose refusals are remembered. Forgetting them costs a few calls of the worker, no more.
const MAX_REMEMBERED: usize = 10_000;

/// A request whose work failed in a way that may be its own fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnattributedFailure {
    pub(super) claimed: Claimed,
    pub(super) error: String,
    /// Which of the worker's endpoints refused it.
    pub(super) endpoint: u32,
    /// When that was.
    pub(super) since: Instant,
    /// When that endpoint had last done a request well by then. Never this one: it would not be suspected.
    pub(super) success_before: Option<Instant>,
}

/// Whose failure it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attribution {
    /// The request's own: it counts.
    Request(UnattributedFailure),
    /// The worker's, as far as anybody can tell: nobody claims the request for `pause`.
    Worker { claimed: Claimed, pause: Duration },
}

/// Those under suspicion, oldest first, and what is known of the refusals of each.
#[derive(Debug, Default)]
pub(super) struct UnattributedFailures {
    suspects: Vec<UnattributedFailure>,
    refusals: HashMap<Uuid, Refusals>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Refusals {
    /// In a row, without evidence.
    unattributed: u32,
    /// Whose the last one was.
    endpoint: u32,
}

impl UnattributedFailures {
    pub(super) fn add(&mut self, suspect: UnattributedFailure) {
        if self.refusals.len() >= MAX_REMEMBERED {
            self.refusals.clear();
        }
        let refusals = self.refusals.entry(suspect.claimed.id).or_default();
        refusals.endpoint = suspect.endpoint;
        self.suspects.push(suspect);
    }

    /// The endpoint that refused `id` last: another one may do it.
    pub(super) fn refused_by(&self, id: Uuid) -> Option<u32> {
        self.refusals.get(&id).map(|it| it.endpoint)
    }

    /// The worker did `id` well in the end.
    pub(super) fn cleared(&mut self, id: Uuid) {
        self.refusals.remove(&id);
    }

    /// Those about whom it is clear by `now`, given whether the breaker is closed and when an endpoint last did a request
    /// well.
    pub(super) fn judge(
        &mut self,
        closed: bool,
        last_success: impl Fn(u32) -> Option<Instant>,
        now: Instant,
    ) -> Vec<Attribution> {
        if !closed {
            let outage = |it: UnattributedFailure| Attribution::Worker {
                claimed: it.claimed,
                pause: REQUEUE_DELAY,
            };
            return self.suspects.drain(..).map(outage).collect();
        }
        let clear = |it: &mut UnattributedFailure| now.duration_since(it.since) >= SUSPECTED_FOR;
        let clear: Vec<UnattributedFailure> = self.suspects.extract_if(.., clear).collect();
        let attribute = |it: UnattributedFailure| {
            let last_success = last_success(it.endpoint);
            self.attribute(it, last_success)
        };
        clear.into_iter().map(attribute).collect()
    }

    fn attribute(
        &mut self,
        suspect: UnattributedFailure,
        last_success: Option<Instant>,
    ) -> Attribution {
        let id = suspect.claimed.id;
        let well_before = suspect
            .success_before
            .is_some_and(|at| suspect.since.duration_since(at) <= RECENTLY);
        let well_after = last_success.is_some_and(|at| at > suspect.since);
        let refusals = self.refusals.entry(id).or_default();
        if well_before && well_after {
            refusals.unattributed = 0;
            return Attribution::Request(suspect);
        }
        let pause = pause_after(refusals.unattributed);
        refusals.unattributed += 1;
        Attribution::Worker {
            claimed: suspect.claimed,
            pause,
        }
    }
}

/// How long a request waits that was refused `refusals` times before.
pub(super) fn pause_after(refusals: u32) -> Duration {
    Duration::from_secs(1_u64.checked_shl(refusals).unwrap_or(u64::MAX)).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    const SECOND: Duration = Duration::from_secs(1);

    fn claimed() -> Claimed {
        Claimed {
            id: Uuid::from_u128(1),
            failures: 0,
            lease_until: Timestamp::UNIX_EPOCH,
        }
    }

    fn suspect(since: Instant, success_before: Option<Instant>) -> UnattributedFailure {
        UnattributedFailure {
            claimed: claimed(),
            error: "answered with an error".to_owned(),
            endpoint: 1,
            since,
            success_before,
        }
    }

    fn of_worker(pause: Duration) -> Attribution {
        let claimed = claimed();
        Attribution::Worker { claimed, pause }
    }

    #[test]
    fn a_refusal_between_others_successes_is_the_requests_own() {
        let before = Instant::now();
        let since = before + SECOND;
        let (after, end) = (since + SECOND, since + SUSPECTED_FOR);
        let mut suspects = UnattributedFailures::default();
        suspects.add(suspect(since, Some(before)));
        assert_eq!(suspects.judge(true, |_| Some(after), after), []);
        let own = Attribution::Request(suspect(since, Some(before)));
        assert_eq!(suspects.judge(true, |_| Some(after), end), [own]);
        assert_eq!(suspects.judge(true, |_| Some(after), end), []);
    }

    #[test]
    fn what_another_endpoint_did_well_is_no_evidence_and_the_one_that_refused_is_left_out_next() {
        let before = Instant::now();
        let since = before + SECOND;
        let mut suspects = UnattributedFailures::default();
        assert_eq!(suspects.refused_by(claimed().id), None);
        suspects.add(suspect(since, Some(before)));
        let of_another = |endpoint| (endpoint != 1).then_some(since + SECOND);
        let judged = suspects.judge(true, of_another, since + SUSPECTED_FOR);
        assert_eq!(judged, [of_worker(SECOND)]);
        assert_eq!(suspects.refused_by(claimed().id), Some(1));
    }

    #[test]
    fn a_worker_that_does_nobodys_work_is_an_outage_and_its_pauses_grow() {
        let mut now = Instant::now();
        let mut suspects = UnattributedFailures::default();
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            suspects.add(suspect(now, None));
            now += SUSPECTED_FOR;
            let pause = Duration::from_secs(pause);
            assert_eq!(suspects.judge(true, |_| None, now), [of_worker(pause)]);
        }
        suspects.cleared(claimed().id);
        suspects.add(suspect(now, None));
        let judged = suspects.judge(true, |_| None, now + SUSPECTED_FOR);
        assert_eq!(judged, [of_worker(SECOND)]);
    }

    #[test]
    fn the_success_that_ends_an_outage_convicts_nobody() {
        let long_ago = Instant::now();
        let since = long_ago + RECENTLY + SECOND;
        for before in [None, Some(long_ago)] {
            let mut suspects = UnattributedFailures::default();
            suspects.add(suspect(since, before));
            let judged = suspects.judge(true, |_| Some(since + SECOND), since + SUSPECTED_FOR);
            assert_eq!(judged, [of_worker(SECOND)]);
        }
    }

    #[test]
    fn a_failure_at_the_beginning_of_an_outage_does_not_count() {
        let before = Instant::now();
        let mut suspects = UnattributedFailures::default();
        suspects.add(suspect(before, Some(before)));
        let judged = suspects.judge(false, |_| Some(before), before);
        assert_eq!(judged, [of_worker(REQUEUE_DELAY)]);
    }

    #[test]
    fn pauses_double_and_end_at_half_a_minute() {
        let pauses = [0, 1, 4, 5, 100].map(|refusals| pause_after(refusals).as_secs());
        assert_eq!(pauses, [1, 2, 16, 30, 30]);
    }
}
