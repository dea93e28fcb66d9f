//! One life of a replica, as those it talks to see it.

use super::gate::Gate;
use super::time::Clock;
use super::trace::Trace;

/// A replica from its start to its crash. Clones are the same.
#[derive(Clone)]
pub struct Peer {
    /// Which replica.
    pub replica: u8,
    /// Shut while it is frozen, gone once it crashed.
    pub life: Gate,
    /// Its way to Postgres.
    pub to_database: Gate,
    /// Its way to the worker.
    pub to_worker: Gate,
    /// Its wall clock.
    pub clock: Clock,
    /// Where all is noted.
    pub trace: Trace,
}
