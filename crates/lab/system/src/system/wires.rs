//! The wires of a system, which may be none.

use std::sync::Arc;

use holdfast_checker::plan::Target;

use crate::wire::Wire;

/// Between the APIs and which of their dependencies a breakable wire stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wired {
    /// Before the worker.
    pub worker: bool,
    /// Before Postgres.
    pub database: bool,
}

/// The wire to each dependency, where there is one.
#[derive(Debug, Default)]
pub struct Wires {
    /// Before the worker.
    pub worker: Option<Arc<Wire>>,
    /// Before Postgres.
    pub database: Option<Arc<Wire>>,
}

impl Wires {
    /// The wire before this target.
    pub fn to(&self, target: Target) -> Option<&Arc<Wire>> {
        match target {
            Target::Worker => self.worker.as_ref(),
            Target::Database => self.database.as_ref(),
            // Nothing stands before what is being called.
            Target::Api | Target::Node => None,
        }
    }
}
