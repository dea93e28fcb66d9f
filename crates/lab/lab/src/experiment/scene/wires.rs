//! The wires of a scene, which may be none.

use std::sync::Arc;

use crate::experiment::plan::Target;
use crate::wire::Wire;

/// The wire to each dependency, where there is one.
#[derive(Debug, Default)]
pub(super) struct Wires {
    pub(super) worker: Option<Arc<Wire>>,
    pub(super) database: Option<Arc<Wire>>,
}

impl Wires {
    pub(super) fn to(&self, target: Target) -> Option<&Arc<Wire>> {
        match target {
            Target::Worker => self.worker.as_ref(),
            Target::Database => self.database.as_ref(),
            // Nothing stands before what is being called.
            Target::Api => None,
        }
    }
}
