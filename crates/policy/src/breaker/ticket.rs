//! The proof that an attempt was admitted. It must be settled; dropped unsettled, it settles as an
//! attempt that never reached the dependency, so that no way out of the code keeps a probe's slot.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Circuit;
use super::core::{Pass, Sample};
use super::judge;
use super::stopwatch::Stopwatch;
use crate::class::AttemptVerdict;
use crate::event::Outcome;
use crate::now::Now;

#[derive(Debug)]
pub(super) struct Ticket {
    circuit: Circuit,
    pass: Pass,
    settled: bool,
    number: u32,
}

impl Ticket {
    /// For the attempt `number` of its call.
    #[inline]
    pub(super) fn new(circuit: Circuit, pass: Pass, number: u32) -> Self {
        Self {
            circuit,
            pass,
            settled: false,
            number,
        }
    }

    /// The attempt's result is known. If it failed and the breaker is open now, what remains of the
    /// open time.
    #[inline]
    pub(super) fn finish(
        &mut self,
        verdict: AttemptVerdict,
        watch: &Stopwatch,
    ) -> Option<Duration> {
        let slow = self.circuit.shared().is_slow(watch);
        let outcome = judge::outcome(verdict, slow)?;
        let record = judge::record(outcome, slow);
        let shared = self.circuit.shared();
        // What changes nothing needs no words either.
        if shared.is_unmoved_by(self.pass, record) {
            self.settled = true;
            shared.tell_attempt(self.number, outcome, watch);
            return None;
        }
        let retry_after = verdict.class().and_then(|class| class.retry_after);
        let sample = Sample {
            record,
            answered: matches!(verdict, AttemptVerdict::Finished(_)),
            cause: judge::cause(outcome, verdict),
            retry_after,
        };
        self.settle(outcome, sample, watch)
    }

    /// The attempt ends without a result.
    pub(super) fn abandon(&mut self, panicked: bool, watch: &Stopwatch) {
        let outcome = if panicked {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        };
        let slow = self.circuit.shared().is_slow(watch);
        let sample = Sample {
            record: judge::record(outcome, slow),
            cause: judge::cause(outcome, AttemptVerdict::Rejected),
            ..Sample::NOTHING
        };
        self.settle(outcome, sample, watch);
    }

    /// The name of the breaker's policy.
    #[inline]
    pub(super) fn policy(&self) -> &Arc<str> {
        self.circuit.shared().name()
    }

    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    #[inline]
    fn settle(&mut self, outcome: Outcome, sample: Sample, watch: &Stopwatch) -> Option<Duration> {
        self.settled = true;
        let shared = self.circuit.shared();
        let settled = shared.settle(self.pass, sample, watch.now());
        shared.tell_attempt(self.number, outcome, watch);
        shared.tell_transition(settled.transition);
        let failed = sample.record.is_some_and(|record| record.failed);
        settled.open_for.filter(|_| failed)
    }
}

impl Drop for Ticket {
    #[inline]
    fn drop(&mut self) {
        if !self.settled {
            let shared = self.circuit.shared();
            let settled = shared.settle(self.pass, Sample::NOTHING, &Now::on_demand());
            shared.tell_transition(settled.transition);
        }
    }
}
