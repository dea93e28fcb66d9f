//! What a run leaves to be judged, as data.

use std::time::Duration;

use uuid::Uuid;

use super::quiescent::QuiescentPhase;
use super::schedule::{Kind, Target};
use crate::durability::{Ledger, Row};
use crate::load::{Attempt, CallHistory};

/// An outage as it really was. Times count from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) target: Target,
    pub(super) kind: Kind,
    pub(super) from: Duration,
    /// When it was ready again.
    pub(super) to: Duration,
    /// Rows of calls under way that were gone when it came back.
    pub(super) rows_lost: u64,
}

/// A request sent once more after the end.
#[derive(Debug, Clone)]
pub(super) struct Again {
    pub(super) key: String,
    /// Under which it was accepted.
    pub(super) id: Uuid,
    /// With the same body.
    pub(super) same: Attempt,
    /// With another one.
    pub(super) other: Attempt,
}

/// What Postgres holds when all is over.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The promises against the rows.
    pub(super) ledger: Ledger,
    /// All of the resilient endpoint.
    pub(super) rows: Vec<Row>,
    /// Of `idempotency_keys`.
    pub(super) keys: Vec<(String, Uuid)>,
}

/// All there is to know of a run.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) replicas: usize,
    /// Within which every call is to be answered, and what each API publishes as that.
    pub(super) bound: Duration,
    pub(super) published: Vec<Duration>,
    /// How long a client waited for one answer.
    pub(super) try_for: Duration,
    pub(super) outages: Vec<Outage>,
    pub(super) histories: Vec<CallHistory>,
    /// Why what was broken did not come back.
    pub(super) fell: Vec<String>,
    /// What was not finished when the wait was over.
    pub(super) left: Vec<String>,
    /// None: Postgres did not answer, which is in `fell`.
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

/// How long before or after a failover such a request was sent and answered, at most: the rows it costs are a quarter of a
/// second old.
const AROUND_A_FAILOVER: Duration = Duration::from_millis(500);

/// Takes what a failover lost out of `histories` and of what is missing. Only what was put off can be, on the primary's word,
/// before anybody could know: whoever has a result to record finds that the row is gone, and so does an API that is well and
/// answers later.
pub(super) fn take_lost_by_failover(
    histories: &mut Vec<CallHistory>,
    outages: &[Outage],
    tables: &mut Tables,
) -> Vec<Uuid> {
    let close = |one: Duration, other: Duration| one.abs_diff(other) <= AROUND_A_FAILOVER;
    let could_not_know = |made: &&Attempt| {
        let own = Target::Api(made.api);
        let mut own = outages.iter().filter(|it| it.target == own);
        let stood_still = own.any(|it| it.from <= made.to && made.from <= it.to);
        let mut failovers = outages.iter().filter(|it| it.kind == Kind::FailOver);
        failovers.any(|it| close(it.from, made.from) && (close(it.from, made.to) || stood_still))
    };
    let put_off = |made: &&Attempt| {
        let answer = made.reply.answer();
        answer.is_some_and(|it| it.status == 202 && it.recorded_in.as_deref() == Some("database"))
    };
    let attempts = histories.iter().flat_map(|history| &history.attempts);
    let lost: Vec<Uuid> = attempts
        .filter(put_off)
        .filter(could_not_know)
        .filter_map(|made| made.reply.answer()?.request_id)
        .filter(|id| tables.ledger.missing.contains(id))
        .collect();
    tables.ledger.missing.retain(|id| !lost.contains(id));
    histories.retain(|history| {
        let accepted = history.accepted();
        !accepted.is_some_and(|it| lost.contains(&it.id))
    });
    lost
}
