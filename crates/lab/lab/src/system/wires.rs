//! The wires of a system, which may be none.

use std::sync::Arc;

use holdfast_checker::plan::Target;

use crate::wire::Wire;

/// Between the APIs and which of their dependencies a breakable wire stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wired {
    pub(crate) worker: bool,
    pub(crate) database: bool,
}

/// The wire to each dependency, where there is one.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    pub(crate) worker: Option<Arc<Wire>>,
    pub(crate) database: Option<Arc<Wire>>,
}

impl Wires {
    pub(crate) fn to(&self, target: Target) -> Option<&Arc<Wire>> {
        match target {
            Target::Worker => self.worker.as_ref(),
            Target::Database => self.database.as_ref(),
            // Nothing stands before what is being called.
            Target::Api | Target::Node => None,
        }
    }
}
