//! The state of one breaker, shared by all calls to its dependency.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::core::{Core, Pass, Refusal, Transition};
use super::ticket::{End, Ticket};
use super::window::Record;
use crate::config::BreakerConfig;
use crate::event::{Event, RejectedBy};
use crate::lock::lock;
use crate::reporter::Reporter;
use crate::snapshot::BreakerState;

/// A circuit breaker. Clones share its state.
#[derive(Clone, Debug)]
pub struct Circuit {
    shared: Arc<Shared>,
}

/// What a breaker must know beside its own configuration.
#[derive(Clone, Copy, Debug)]
pub struct CircuitSettings {
    /// How long a probe may keep its slot. Longer than any attempt that is polled can last.
    pub lease: Duration,
    /// What the ramp grows to: the bulkhead's limit.
    pub concurrency: u32,
    /// Of the jitter on the open time.
    pub seed: u64,
}

#[derive(Debug)]
struct Shared {
    reporter: Reporter,
    slow_call: Duration,
    core: Mutex<Core>,
}

/// What a status page shows of a breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitView {
    pub(crate) state: BreakerState,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_call_rate: Option<f64>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) ramp_limit: u32,
}

impl Circuit {
    /// A closed breaker.
    pub fn new(config: &BreakerConfig, settings: CircuitSettings, reporter: Reporter) -> Self {
        let CircuitSettings {
            lease,
            concurrency,
            seed,
        } = settings;
        let core = Core::new(config, lease, concurrency, seed, Instant::now());
        let slow_call = config.slow_call;
        Self {
            shared: Arc::new(Shared {
                reporter,
                slow_call,
                core: Mutex::new(core),
            }),
        }
    }

    /// The state it is in.
    pub fn state(&self) -> BreakerState {
        lock(&self.shared.core).state()
    }

    /// Refuses every attempt until [`reset`](Self::reset).
    pub fn force_open(&self) {
        let transition = lock(&self.shared.core).force_open();
        self.tell_transition(transition);
    }

    /// Lets every attempt pass, counting none, until [`reset`](Self::reset).
    pub fn disable(&self) {
        let transition = lock(&self.shared.core).disable();
        self.tell_transition(transition);
    }

    /// Closes it as if just built. What is under way is not counted.
    pub fn reset(&self) {
        let transition = lock(&self.shared.core).reset();
        self.tell_transition(transition);
    }

    pub(crate) fn view(&self, now: Instant) -> CircuitView {
        let mut core = lock(&self.shared.core);
        let counts = core.counts(now);
        CircuitView {
            state: core.state(),
            failure_rate: counts.failure_rate(),
            slow_call_rate: counts.slow_call_rate(),
            retry_after: core.retry_after(now),
            ramp_limit: core.ramp_limit(now),
        }
    }

    /// Whether it is certain that an attempt at `when` would be refused.
    pub(crate) fn refuses(&self, when: Instant) -> bool {
        lock(&self.shared.core).refuses(when)
    }

    pub(super) fn policy(&self) -> &'static str {
        self.shared.reporter.policy()
    }

    pub(super) fn slow_call(&self) -> Duration {
        self.shared.slow_call
    }

    pub(super) fn admit(&self, now: Instant) -> Result<Ticket, Refusal> {
        let (decision, transition) = lock(&self.shared.core).admit(now);
        self.tell_transition(transition);
        match decision {
            Ok(pass) => Ok(Ticket::new(self.clone(), pass)),
            Err(refusal) => {
                let by = match refusal {
                    Refusal::Open(_) => RejectedBy::Breaker,
                    Refusal::Ramp(_) => RejectedBy::Ramp,
                };
                self.shared.reporter.tell(&Event::Rejected {
                    policy: self.policy(),
                    by,
                });
                Err(refusal)
            }
        }
    }

    /// Counts an attempt and tells the observers. What remains of the open time, if open now.
    pub(super) fn settle(
        &self,
        pass: Pass,
        record: Option<Record>,
        now: Instant,
        end: Option<End>,
    ) -> Option<Duration> {
        let mut core = lock(&self.shared.core);
        let transition = core.settle(pass, record, now);
        let open_for = core.retry_after(now);
        drop(core);
        let policy = self.policy();
        if let Some(End {
            outcome,
            number,
            elapsed,
            ..
        }) = end
        {
            self.shared.reporter.tell(&Event::Attempt {
                policy,
                number,
                outcome,
                elapsed,
            });
        }
        self.tell_transition(transition);
        open_for
    }

    fn tell_transition(&self, transition: Option<Transition>) {
        if let Some(Transition {
            from,
            to,
            generation,
        }) = transition
        {
            let policy = self.policy();
            self.shared.reporter.tell(&Event::Transition {
                policy,
                from,
                to,
                generation,
            });
        }
    }
}
