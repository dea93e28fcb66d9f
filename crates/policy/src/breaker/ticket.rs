//! The proof that an attempt was admitted. It is settled once, whatever becomes of the attempt: finished, abandoned,
//! or given back if the attempt never reached the dependency.

use std::time::Duration;

use super::circuit::Circuit;
use super::core::{Pass, Sample};
use super::judge;
use super::stopwatch::Stopwatch;
use crate::class::AttemptVerdict;
use crate::event::Outcome;
use crate::now::Now;

#[derive(Debug)]
#[must_use = "a probe's slot stays taken until its ticket is settled"]
pub(crate) struct Ticket {
    pass: Pass,
    number: u32,
}

impl Ticket {
    /// For the attempt `number` of its call.
    #[inline]
    pub(crate) fn new(pass: Pass, number: u32) -> Self {
        Self { pass, number }
    }

    /// The attempt's result is known. If it failed and the breaker is open now, what remains of the
    /// open time.
    #[inline]
    pub(crate) fn finish(
        self,
        circuit: &Circuit,
        verdict: &AttemptVerdict,
        watch: &Stopwatch<'_>,
    ) -> Option<Duration> {
        let shared = circuit.shared();
        let slow = shared.is_slow(watch, verdict.elsewhere());
        let Some(outcome) = judge::outcome(verdict, slow) else {
            self.give_back(circuit, watch.now());
            return None;
        };
        let record = judge::record(outcome, slow);
        // What changes nothing needs no words either.
        if shared.is_unmoved_by(self.pass, record) {
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
        self.settle(circuit, outcome, sample, watch)
    }

    /// The attempt ends without a result.
    pub(crate) fn abandon(self, circuit: &Circuit, panicked: bool, watch: &Stopwatch<'_>) {
        let outcome = if panicked {
            Outcome::Panicked
        } else {
            Outcome::Cancelled
        };
        let slow = circuit.shared().is_slow(watch, Duration::ZERO);
        let sample = Sample {
            record: judge::record(outcome, slow),
            cause: judge::cause(outcome, &AttemptVerdict::Rejected),
            ..Sample::NOTHING
        };
        self.settle(circuit, outcome, sample, watch);
    }

    /// The attempt never reached the dependency and says nothing.
    pub(crate) fn give_back(self, circuit: &Circuit, now: &Now) {
        let shared = circuit.shared();
        let settled = shared.settle(self.pass, Sample::NOTHING, now);
        shared.tell_transition(settled.transition);
    }

    fn settle(
        self,
        circuit: &Circuit,
        outcome: Outcome,
        sample: Sample,
        watch: &Stopwatch<'_>,
    ) -> Option<Duration> {
        let shared = circuit.shared();
        let settled = shared.settle(self.pass, sample, watch.now());
        shared.tell_attempt(self.number, outcome, watch);
        shared.tell_transition(settled.transition);
        let failed = sample.record.is_some_and(|record| record.failed);
        settled.open_for.filter(|_| failed)
    }
}
