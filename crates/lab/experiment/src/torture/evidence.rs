//! What a run leaves to be judged, as data.

use std::time::Duration;

use uuid::Uuid;

use super::quiescent::QuiescentPhase;
use crate::durability::{DurabilityReport, Row};
use crate::load::{Attempt, CallHistory};
use crate::plan::{Experiment, Fault, Kind, Target};
use crate::trial::{FaultWindow, Trial};

/// What it takes to put a fault in force, before it counts as begun.
const BEGINNING: Duration = Duration::from_millis(100);

/// A request sent once more after the end.
#[derive(Debug, Clone)]
pub(super) struct Again {
    pub(super) key: String,
    /// Under which it was accepted.
    pub(super) id: Uuid,
    pub(super) same: Attempt,
    pub(super) other: Attempt,
}

/// What Postgres holds when all is over.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) report: DurabilityReport,
    /// All of the resilient endpoint.
    pub(super) rows: Vec<Row>,
    pub(super) keys: Vec<(String, Uuid)>,
}

#[derive(Debug)]
pub(super) struct Evidence {
    /// Load and faults, as they were meant to be.
    pub(super) experiment: Experiment,
    /// The faults as they were, among others.
    pub(super) trial: Trial,
    /// Each attempt of every call.
    pub(super) histories: Vec<CallHistory>,
    pub(super) replicas: usize,
    /// What each API publishes as its bound.
    pub(super) published: Vec<Duration>,
    /// Why what was broken did not come back.
    pub(super) not_healed: Vec<String>,
    /// What was not finished when the wait was over.
    pub(super) left: Vec<String>,
    /// None: Postgres did not answer, which is in `not_healed`.
    pub(super) tables: Option<Tables>,
    pub(super) again: Vec<Again>,
    /// Calls of the worker until all was done, and those that asking again made; none: they could not be counted.
    pub(super) worker_calls: Option<u64>,
    pub(super) worker_calls_again: Option<u64>,
    /// What came of requests while nothing was broken any more.
    pub(super) quiescent: QuiescentPhase,
    /// Accepted, confirmed by the database, and lost by its failover before anybody could know: outside the promise. They are
    /// counted here, and in none of the others.
    pub(super) lost_by_failover: Vec<Uuid>,
}

pub(super) type Span = (Duration, Duration);

impl Evidence {
    /// From when to when an API was broken, in the order of time.
    pub(super) fn outages(&self, api: usize) -> impl Iterator<Item = Span> {
        outages(&self.trial.faults, api)
    }

    /// Whether an API was broken while this attempt was made, or within `after` before.
    pub(super) fn was_hurt(&self, made: &Attempt, after: Duration) -> bool {
        let mut outages = self.outages(made.api);
        outages.any(|(from, to)| from <= made.to && made.from <= to.saturating_add(after))
    }
}

fn outages(faults: &[FaultWindow], api: usize) -> impl Iterator<Item = Span> {
    let own = move |it: &&FaultWindow| it.target == Target::Replica(api + 1);
    faults.iter().filter(own).map(|it| {
        let is_over = it.healed.holds;
        let to = if is_over { it.recovered } else { Duration::MAX };
        (it.from.saturating_sub(BEGINNING), to)
    })
}

/// How long before or after a failover such a request was sent and answered, at most: the rows it costs are a quarter of a
/// second old.
const AROUND_A_FAILOVER: Duration = Duration::from_millis(500);

/// Takes what a failover lost out of `histories` and of what is missing. Only what was put off can be, on the primary's word,
/// before anybody could know: whoever has a result to record finds that the row is gone, and so does an API that is well and
/// answers later.
pub(super) fn take_lost_by_failover(
    histories: &mut Vec<CallHistory>,
    faults: &[Fault],
    seen: &[FaultWindow],
    tables: &mut Tables,
) -> Vec<Uuid> {
    let close = |one: Duration, other: Duration| one.abs_diff(other) <= AROUND_A_FAILOVER;
    let could_not_know = |made: &&Attempt| {
        let mut own = outages(seen, made.api);
        let stood_still = own.any(|(from, to)| from <= made.to && made.from <= to);
        let failovers = faults.iter().zip(seen);
        let mut failovers = failovers.filter(|(it, _)| it.kind == Kind::LossyFailover);
        failovers
            .any(|(_, it)| close(it.from, made.from) && (close(it.from, made.to) || stood_still))
    };
    let put_off = |made: &&Attempt| {
        let answer = made.end.answer();
        answer.is_some_and(|it| it.status == 202 && it.recorded_in.as_deref() == Some("database"))
    };
    let attempts = histories.iter().flat_map(|history| &history.attempts);
    let lost: Vec<Uuid> = attempts
        .filter(put_off)
        .filter(could_not_know)
        .filter_map(|made| made.end.answer()?.request_id)
        .filter(|id| tables.report.missing.contains(id))
        .collect();
    tables.report.missing.retain(|id| !lost.contains(id));
    histories.retain(|history| {
        let accepted = history.accepted();
        !accepted.is_some_and(|it| lost.contains(&it.id))
    });
    lost
}
