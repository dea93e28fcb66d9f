//! One life of a replica, as those it talks to see it.

use super::gate::Gate;
use super::time::Clock;
use super::trace::Trace;

/// A replica from its start to its crash. Clones are the same.
#[derive(Clone)]
pub struct Peer {
    pub(crate) replica: u8,
    /// Shut while it is frozen, gone once it crashed.
    pub(crate) life: Gate,
    pub(crate) to_database: Gate,
    pub(crate) to_worker: Gate,
    pub(crate) clock: Clock,
    /// Where all is noted.
    pub(crate) trace: Trace,
}

impl Peer {
    /// The first replica, with every way open.
    #[must_use]
    pub fn new(clock: Clock, trace: Trace) -> Self {
        Self {
            replica: 0,
            life: Gate::default(),
            to_database: Gate::default(),
            to_worker: Gate::default(),
            clock,
            trace,
        }
    }
}
