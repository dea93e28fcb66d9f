//! What a run leaves to be judged, as data.

use std::time::Duration;

use uuid::Uuid;

use super::calm::Calm;
use super::schedule::{Kind, Target};
use crate::check::Ledger;
use crate::load::{Outcome, Try};

/// A target that was hurt, really. Times count from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hurt {
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
    pub(super) same: Try,
    /// With another one.
    pub(super) other: Try,
}

/// A row of `requests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) id: Uuid,
    /// That its body carries.
    pub(super) key: String,
    pub(super) status: String,
    /// Why it failed; empty if it did not.
    pub(super) error: String,
    /// The worker's answer, as JSON without idle space; none: there is none.
    pub(super) result: Option<String>,
}

/// What Postgres holds when all is over.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The promises against the rows.
    pub(super) ledger: Ledger,
    /// All of the resilient endpoint.
    pub(super) rows: Vec<Recorded>,
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
    pub(super) hurts: Vec<Hurt>,
    pub(super) outcomes: Vec<Outcome>,
    /// Why what was hurt did not come back.
    pub(super) fell: Vec<String>,
    /// What was not finished when the wait was over.
    pub(super) left: Vec<String>,
    /// None: Postgres did not answer, which is in `fell`.
    pub(super) tables: Option<Tables>,
    pub(super) again: Vec<Again>,
    /// Calls of the worker until all was done, and those that asking again made; none: they could not be counted.
    pub(super) worker_calls: Option<u64>,
    pub(super) worker_calls_again: Option<u64>,
    /// What came of requests while nothing was hurt any more.
    pub(super) calm: Calm,
    /// Accepted, confirmed by the database, and lost by its failover before anybody could know: outside the promise. They are
    /// counted here, and in none of the others.
    pub(super) lost_by_failover: Vec<Uuid>,
}

/// How long before or after a failover such a request was sent, at most: the rows it costs are a quarter of a second old.
const AROUND_A_FAILOVER: Duration = Duration::from_millis(500);

impl Evidence {
    /// With what a failover lost set apart. Only what was put off can be: whoever has a result to record finds that the row is
    /// gone.
    #[must_use]
    pub(super) fn without_lost_by_failover(mut self) -> Self {
        let Some(tables) = &mut self.tables else {
            return self;
        };
        let sent = self.outcomes.iter().flat_map(|outcome| &outcome.tries);
        let put_off = sent.filter(|it| it.reply.answer().is_some_and(|it| it.status == 202));
        let around = put_off.filter(|it| {
            let mut failovers = self.hurts.iter().filter(|it| it.kind == Kind::FailOver);
            failovers.any(|one| one.from.abs_diff(it.from) <= AROUND_A_FAILOVER)
        });
        let ids: Vec<Uuid> = around
            .filter_map(|it| it.reply.answer()?.request_id)
            .filter(|id| tables.ledger.missing.contains(id))
            .collect();
        tables.ledger.missing.retain(|id| !ids.contains(id));
        self.again.retain(|again| !ids.contains(&again.id));
        self.outcomes.retain(|outcome| {
            let accepted = outcome.accepted();
            !accepted.is_some_and(|it| ids.contains(&it.id))
        });
        self.lost_by_failover = ids;
        self
    }
}
