//! What must hold, a file for each property. `recorded` looks at each answer as it is given, the others at the whole run
//! after everything was healed and had time to settle.

mod bound;
mod budget;
mod isolation;
mod keys;
mod leaks;
mod liveness;
mod promises;
pub(crate) mod recorded;
mod results;

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use crate::fault::Kind;
use crate::history::{Told, Violation};
use crate::plan::Plan;
use crate::postgres::rows::Tables;
use crate::replica::Held;
use crate::world::number;
use crate::world::trace::Trace;

/// A run that is over.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    /// What clients were told, in that order.
    pub(crate) told: &'a [Told],
    pub(crate) tables: &'a Tables,
    /// What a failover took from it: until when, in virtual microseconds.
    pub(crate) lost: &'a BTreeMap<Uuid, u64>,
    pub(crate) held: &'a [Held],
    pub(crate) trace: &'a Trace,
    /// When it ended, in virtual microseconds.
    pub(crate) ended_at: u64,
    pub(crate) worst_case: Duration,
    /// When the worker gave an answer, in virtual microseconds.
    pub(crate) answered_at: &'a dyn Fn(&str) -> Option<u64>,
}

/// Every check of a whole run.
pub(crate) const CHECKS: [fn(&Run<'_>) -> Option<Violation>; 9] = [
    bound::check,
    results::check,
    keys::check,
    promises::check,
    liveness::check,
    isolation::check,
    isolation::breaker,
    budget::check,
    leaks::check,
];

impl Run<'_> {
    /// What shows at its end.
    fn ended(&self, property: &'static str, request: u64, what: String) -> Violation {
        Violation {
            property,
            at: self.ended_at,
            request,
            what,
        }
    }

    /// Whether a failover took what `told` speaks of, and the replica could not know: it was told before, or again where
    /// Postgres could not be asked, or Postgres was not reached about it since.
    pub(crate) fn is_lost(&self, told: &Told, id: Uuid) -> bool {
        let is_unknown = |since: &u64| {
            told.told_at <= *since
                || told.is_replay()
                || !self
                    .trace
                    .reached_postgres(number(id), *since, told.told_at)
        };
        self.lost.get(&id).is_some_and(is_unknown)
    }

    /// Whether `kind` of fault was in the plan.
    pub(crate) fn has(&self, kind: impl Fn(Kind) -> bool) -> bool {
        self.plan.faults.iter().any(|fault| kind(fault.kind))
    }
}
