//! The proof that an attempt was admitted. It must be settled; dropped unsettled, it settles as an
//! attempt that never reached the dependency, so that no way out of the code keeps a probe's slot.

use std::time::Duration;

use tokio::time::Instant;

use super::circuit::Circuit;
use super::core::Pass;
use super::judge;
use crate::event::Outcome;

/// How an attempt that reached the dependency ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) number: u32,
    pub(super) elapsed: Duration,
    pub(super) at: Instant,
}

#[derive(Debug)]
pub(super) struct Ticket {
    // `None` once settled.
    held: Option<(Circuit, Pass)>,
}

impl Ticket {
    pub(super) fn new(circuit: Circuit, pass: Pass) -> Self {
        Self {
            held: Some((circuit, pass)),
        }
    }

    /// Tells the breaker and the observers how the attempt ended. If it failed and the breaker is
    /// open now, what remains of the open time.
    pub(super) fn settle(mut self, end: End) -> Option<Duration> {
        let (circuit, pass) = self.held.take()?;
        let record = judge::record(end.outcome, end.elapsed, circuit.slow_call());
        let open_for = circuit.settle(pass, record, end.at, Some(end));
        open_for.filter(|_| record.is_some_and(|record| record.failed))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some((circuit, pass)) = self.held.take() {
            circuit.settle(pass, None, Instant::now(), None);
        }
    }
}
