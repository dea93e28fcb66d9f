//! The state of one breaker, shared by all calls to its dependency.

use std::time::Duration;

use tokio::time::Instant;

use super::core::{Core, Pass, Refusal, Sample, Transition};
use super::gate::Gate;
use super::slow_call::SlowCall;
use super::stopwatch::Stopwatch;
use super::window::Record;
use crate::config::BreakerConfig;
use crate::event::{Event, Outcome, RejectedBy};
use crate::handle::Handle;
use crate::lock::lock;
use crate::now::Now;
use crate::reporter::Reporter;
use crate::snapshot::{BreakerState, OpenedBecause};
use crate::sync::Mutex;

/// A circuit breaker. Clones share its state.
#[derive(Clone, Debug)]
pub struct Circuit {
    shared: Handle<Shared>,
}

/// What a breaker must know beside its own configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitSettings {
    /// How long a probe may keep its slot. Longer than any attempt that is polled can last.
    pub(crate) lease: Duration,
    /// Of the jitter on the open time.
    pub(crate) seed: u64,
}

/// What all handles to a breaker lead to.
#[derive(Debug)]
pub(super) struct Shared {
    reporter: Reporter,
    slow_call: SlowCall,
    gate: Gate,
    core: Mutex<Core>,
}

/// What settling an attempt has led to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    pub(super) transition: Option<Transition>,
    /// What remains of the open time, if open now.
    pub(super) open_for: Option<Duration>,
}

/// What a status page shows of a breaker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CircuitView {
    pub(crate) state: BreakerState,
    pub(crate) opened_because: Option<OpenedBecause>,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_call_rate: Option<f64>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) ramp_limit: u32,
}

impl Circuit {
    /// A closed breaker.
    pub(crate) fn new(
        config: &BreakerConfig,
        settings: CircuitSettings,
        reporter: Reporter,
    ) -> Self {
        let CircuitSettings { lease, seed } = settings;
        let core = Core::new(config, lease, seed, Instant::now());
        let slow_call = SlowCall::new(config.slow_call);
        Self {
            shared: Handle::new(Shared {
                reporter,
                slow_call,
                gate: Gate::new(core.gate_state()),
                core: Mutex::new(core),
            }),
        }
    }

    /// The same breaker, by a handle that counts its own clones.
    pub(crate) fn fork(&self) -> Self {
        let shared = self.shared.fork();
        Self { shared }
    }

    /// Goes by `config` from now on, in the state it is in, with what it has counted.
    pub(crate) fn reconfigure(&self, config: &BreakerConfig, settings: CircuitSettings) {
        self.shared.slow_call.set(config.slow_call);
        self.shared.change(|core| {
            core.reconfigure(config, settings.lease, Instant::now());
            None
        });
    }

    /// The state it is in.
    pub fn state(&self) -> BreakerState {
        lock(&self.shared.core).state()
    }

    /// Refuses every attempt until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.shared.change(Core::force_open);
    }

    /// Lets every attempt pass, counting none, until [`reset`](Self::reset).
    pub fn disable(&self) {
        self.shared.change(Core::disable);
    }

    /// Closes it as if just built. What is under way is not counted.
    pub fn reset(&self) {
        self.shared.change(Core::reset);
    }

    /// Where the limit is `full`.
    pub(crate) fn view(&self, now: Instant, full: u32) -> CircuitView {
        let now = &Now::from(now);
        let mut core = lock(&self.shared.core);
        let counts = core.counts(now);
        CircuitView {
            state: core.state(),
            opened_because: core.opened_because(),
            failure_rate: counts.failure_rate(),
            slow_call_rate: counts.slow_call_rate(),
            retry_after: core.retry_after(now),
            ramp_limit: core.ramp_limit(now, full),
        }
    }

    /// Whether it is certain that an attempt at `when` would be refused.
    pub(crate) fn refuses(&self, when: Instant) -> bool {
        lock(&self.shared.core).refuses(when)
    }

    /// Whether an attempt may start; what the limit is, is asked only where there may be a ramp.
    #[inline]
    pub(crate) fn admit(&self, now: &Now, full: impl FnOnce() -> u32) -> Result<Pass, Refusal> {
        match self.shared.gate.admits_all() {
            Some(generation) => Ok(Pass::free(generation)),
            None => self.shared.ask(now, full()),
        }
    }

    /// A pass for an attempt that can as well be left out: only while all are admitted. Nobody hears of it if it gets none.
    pub(crate) fn pass_freely(&self) -> Option<Pass> {
        self.shared.gate.admits_all().map(Pass::free)
    }

    /// What calls work on; look it up once.
    #[inline]
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    #[inline]
    pub(super) fn policy(&self) -> &str {
        self.reporter.policy()
    }

    /// Whether an attempt is, of whose time so much was not the dependency's.
    #[inline]
    pub(super) fn is_slow(&self, watch: &Stopwatch<'_>, elsewhere: Duration) -> bool {
        let limit = self.slow_call.get();
        limit.is_some_and(|limit| watch.has_run(limit.saturating_add(elsewhere)))
    }

    /// Whether it is known without the lock that an attempt changes nothing.
    #[inline]
    pub(super) fn is_unmoved_by(&self, pass: Pass, record: Option<Record>) -> bool {
        match record {
            Some(record) => record.is_good() && self.gate.is_steady(pass.generation()),
            None => self.gate.admits_all() == Some(pass.generation()),
        }
    }

    /// Counts an attempt, unless it says nothing.
    #[inline]
    pub(super) fn settle(&self, pass: Pass, sample: Sample, now: &Now) -> Settled {
        if self.is_unmoved_by(pass, sample.record) {
            return Settled::default();
        }
        let mut core = lock(&self.core);
        let transition = core.settle(pass, sample, now);
        self.gate.follow(core.gate_state());
        let open_for = core.retry_after(now);
        Settled {
            transition,
            open_for,
        }
    }

    #[inline]
    pub(super) fn tell_attempt(&self, number: u32, outcome: Outcome, watch: &Stopwatch<'_>) {
        if self.reporter.is_enabled() {
            self.reporter.emit(&Event::Attempt {
                policy: self.policy(),
                number,
                outcome,
                elapsed: watch.elapsed(),
            });
        }
    }

    fn ask(&self, now: &Now, full: u32) -> Result<Pass, Refusal> {
        let mut core = lock(&self.core);
        let (decision, transition) = core.admit(now, full);
        // Also without a transition: the ramp may have come to its end.
        self.gate.follow(core.gate_state());
        drop(core);
        self.tell_transition(transition);
        decision.inspect_err(|refusal| {
            let policy = self.policy();
            let by = match refusal {
                Refusal::Open(_) => RejectedBy::Breaker,
                Refusal::Ramp(_) => RejectedBy::Ramp,
            };
            self.reporter.emit(&Event::Rejected { policy, by });
        })
    }

    /// By an operator's hand.
    fn change(&self, change: impl FnOnce(&mut Core) -> Option<Transition>) {
        let mut core = lock(&self.core);
        let transition = change(&mut core);
        self.gate.follow(core.gate_state());
        drop(core);
        self.tell_transition(transition);
    }

    #[inline]
    pub(super) fn tell_transition(&self, transition: Option<Transition>) {
        if let Some(Transition {
            from,
            to,
            generation,
            because,
        }) = transition
        {
            let policy = self.policy();
            self.reporter.emit(&Event::Transition {
                policy,
                from,
                to,
                generation,
                because,
            });
        }
    }
}

#[cfg(all(test, not(holdfast_loom)))]
mod tests {
    use super::*;
    use crate::support::breaker_config;

    #[test]
    fn what_changes_nothing_is_known_without_the_lock_in_every_generation() {
        let settings = CircuitSettings {
            lease: Duration::from_secs(4),
            seed: 1,
        };
        let reporter = Reporter::new("circuit", Vec::new());
        let circuit = Circuit::new(&breaker_config(), settings, reporter);
        let shared = circuit.shared();
        for _ in 0..2 {
            let pass = circuit.admit(&Now::from(Instant::now()), || 2).unwrap();
            assert!(shared.is_unmoved_by(pass, None));
            circuit.reset();
            assert!(!shared.is_unmoved_by(pass, None));
        }
    }
}
