//! What must hold, a file for each property. `recorded` looks at each answer as it is given, the others at the whole run
//! after everything was healed and had time to settle.

pub mod bound;
pub mod budget;
pub mod isolation;
pub mod keys;
pub mod leaks;
pub mod liveness;
pub mod promises;
pub mod recorded;
pub mod results;

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
pub struct Run<'a> {
    /// What was to happen.
    pub plan: &'a Plan,
    /// What clients were told, in that order.
    pub told: &'a [Told],
    /// What Postgres holds.
    pub tables: &'a Tables,
    /// What a failover took from it: until when, in virtual microseconds.
    pub lost: &'a BTreeMap<Uuid, u64>,
    /// What each replica holds.
    pub held: &'a [Held],
    /// What happened.
    pub trace: &'a Trace,
    /// When it ended, in virtual microseconds.
    pub ended_at: u64,
    /// The bound on each call.
    pub worst_case: Duration,
    /// When the worker gave an answer, in virtual microseconds.
    pub answered_at: &'a dyn Fn(&str) -> Option<u64>,
}

/// Every check of a whole run.
pub const CHECKS: [fn(&Run<'_>) -> Option<Violation>; 9] = [
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
    /// Whether a failover took what `told` speaks of, and the replica could not know: it was told before, or again where
    /// Postgres could not be asked, or Postgres was not reached about it since.
    #[must_use]
    pub fn is_lost(&self, told: &Told, id: Uuid) -> bool {
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
    #[must_use]
    pub fn has(&self, kind: impl Fn(Kind) -> bool) -> bool {
        self.plan.faults.iter().any(|fault| kind(fault.kind))
    }
}
