//! The decision core of the breaker: states, transitions, generations. Pure; takes `now`.
//!
//! Invariants: every transition begins a new generation; a pass is settled at most once (its
//! ticket sees to that) and counts only in its own generation.

mod phase;
mod reconfigure;
mod sample;

use std::time::Duration;

use tokio::time::Instant;

use self::phase::Phase;
pub(super) use self::sample::Sample;
use super::gate::GateState;
use super::open_time::OpenTime;
use super::probes::{ProbeKey, Probes, Verdict};
use super::ramp::Ramp;
use super::tally::{Bad, Tally};
use super::window::{Counts, Record};
use crate::config::BreakerConfig;
use crate::deadline::Deadline;
use crate::now::Now;
use crate::snapshot::{BreakerState, OpenedBecause, OpeningRule};

#[derive(Debug)]
pub(super) struct Core {
    phase: Phase,
    generation: u64,
    tally: Tally,
    probes: Probes,
    open_time: OpenTime,
    ramp: Ramp,
    // Why it opened; until it closes.
    opened: Option<OpenedBecause>,
}

/// Admission of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    generation: u64,
    probe: Option<ProbeKey>,
}

impl Pass {
    /// Of an attempt in a generation that admits all.
    #[inline]
    pub(super) fn free(generation: u64) -> Self {
        Self {
            generation,
            probe: None,
        }
    }

    #[inline]
    pub(super) fn generation(self) -> u64 {
        self.generation
    }
}

/// Why an attempt is refused, and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Open(Option<Duration>),
    Ramp(Duration),
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    pub(super) from: BreakerState,
    pub(super) to: BreakerState,
    pub(super) generation: u64,
    pub(super) because: Option<OpenedBecause>,
}

impl Core {
    /// `lease` is the longest a probe may keep its slot.
    pub(super) fn new(config: &BreakerConfig, lease: Duration, seed: u64, now: Instant) -> Self {
        Self {
            phase: Phase::Closed,
            generation: 0,
            tally: Tally::new(config, now),
            probes: Probes::new(config, lease),
            open_time: OpenTime::new(config, seed),
            ramp: Ramp::new(config.ramp),
            opened: None,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.phase.state()
    }

    /// What holds for all who come, whatever the time; `None` while each must ask.
    pub(super) fn gate_state(&self) -> Option<GateState> {
        let steady = match self.phase {
            Phase::Closed if self.ramp.is_over() => self.tally.is_steady(),
            Phase::Disabled => true,
            _ => return None,
        };
        let generation = self.generation;
        Some(GateState { generation, steady })
    }

    /// Whether an attempt may start at `now`, where the limit is `full`. The first one after the open time is the probe
    /// that makes the breaker half open.
    pub(super) fn admit(
        &mut self,
        now: &Now,
        full: u32,
    ) -> (Result<Pass, Refusal>, Option<Transition>) {
        let transition = match self.phase {
            Phase::Open { until } if now.instant() >= until => {
                self.probes.clear();
                self.enter(Phase::HalfOpen)
            }
            _ => None,
        };
        (self.decide(now, full), transition)
    }

    /// An attempt is over.
    pub(super) fn settle(&mut self, pass: Pass, sample: Sample, now: &Now) -> Option<Transition> {
        if pass.generation != self.generation {
            return None;
        }
        match self.phase {
            Phase::Closed => {
                self.ramp.leave();
                self.count(sample.record?, sample, now)
            }
            Phase::HalfOpen => match self.probes.settle(pass.probe?, sample.as_probe()) {
                Verdict::Undecided => None,
                Verdict::Close => self.close(now.instant()),
                Verdict::Reopen => self.reopen(sample, now.instant()),
            },
            Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => None,
        }
    }

    /// What remains of the open time; `None` unless open.
    pub(super) fn retry_after(&self, now: &Now) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until.saturating_duration_since(now.instant())),
            _ => None,
        }
    }

    /// Whether it is certain that an attempt at `when` would be refused.
    pub(super) fn refuses(&self, when: Instant) -> bool {
        match self.phase {
            Phase::Open { until } => when < until,
            Phase::ForcedOpen => true,
            Phase::Closed | Phase::HalfOpen | Phase::Disabled => false,
        }
    }

    /// Why it opened; `None` while it is closed or an operator opened it.
    pub(super) fn opened_because(&self) -> Option<OpenedBecause> {
        self.opened
    }

    pub(super) fn counts(&mut self, now: &Now) -> Counts {
        self.tally.counts(now)
    }

    /// How many attempts may be in flight, as far as the ramp has a say.
    pub(super) fn ramp_limit(&mut self, now: &Now, full: u32) -> u32 {
        self.ramp.limit(now, full)
    }

    pub(super) fn force_open(&mut self) -> Option<Transition> {
        self.opened = None;
        self.enter(Phase::ForcedOpen)
    }

    pub(super) fn disable(&mut self) -> Option<Transition> {
        self.opened = None;
        self.enter(Phase::Disabled)
    }

    /// Closed, as if just built: nothing counted, nothing remembered, no ramp.
    pub(super) fn reset(&mut self) -> Option<Transition> {
        self.opened = None;
        self.tally.clear();
        self.open_time.reset();
        self.ramp.skip();
        self.enter(Phase::Closed)
    }

    fn decide(&mut self, now: &Now, full: u32) -> Result<Pass, Refusal> {
        let probe = match self.phase {
            Phase::Closed => self
                .ramp
                .admit(now, full)
                .map(|()| None)
                .map_err(Refusal::Ramp)?,
            Phase::HalfOpen => {
                let busy = |wait| Refusal::Open(Some(wait));
                Some(self.probes.admit(now.instant()).map_err(busy)?)
            }
            Phase::Disabled => None,
            Phase::Open { .. } | Phase::ForcedOpen => {
                return Err(Refusal::Open(self.retry_after(now)));
            }
        };
        Ok(Pass {
            generation: self.generation,
            probe,
        })
    }

    /// One more record. It may be a good one that trips a rule: what it looks at has become enough. So why it opens, and
    /// how long the dependency wants to be left alone, is what the last bad one said.
    fn count(&mut self, record: Record, sample: Sample, now: &Now) -> Option<Transition> {
        if !record.is_good() {
            let said = Bad::new(sample.cause, sample.retry_after, now);
            self.tally.note(record, said);
        }
        let rule = self.tally.trips(record, now)?;
        let (counts, in_a_row) = self.tally.figures();
        let last = self.tally.last(rule);
        let now = now.instant();
        self.open(
            OpenedBecause {
                rule,
                calls: counts.calls,
                failures: counts.failures,
                slow: counts.slow,
                in_a_row,
                last_error: last.cause,
            },
            sample.retry_after.max(last.retry_after(now)),
            now,
        )
    }

    fn open(
        &mut self,
        because: OpenedBecause,
        asked: Option<Duration>,
        now: Instant,
    ) -> Option<Transition> {
        let open_for = self.open_time.next(asked, now);
        let until = Deadline::at(now).plus(open_for).instant();
        self.opened = Some(because);
        self.enter(Phase::Open { until })
    }

    /// The probes were bad; the last one may have been neutral.
    fn reopen(&mut self, last: Sample, now: Instant) -> Option<Transition> {
        let (calls, failures) = self.probes.figures();
        let last_error = match (last.record, self.opened) {
            (None, Some(opened)) => opened.last_error,
            _ => last.cause,
        };
        let because = OpenedBecause {
            rule: OpeningRule::Probes,
            calls: u64::from(calls),
            failures: u64::from(failures),
            slow: 0,
            in_a_row: failures,
            last_error,
        };
        self.open(because, last.retry_after, now)
    }

    fn close(&mut self, now: Instant) -> Option<Transition> {
        self.opened = None;
        self.tally.clear();
        self.open_time.closed(now);
        self.ramp.start(now);
        self.enter(Phase::Closed)
    }

    /// Begins a new generation, also when the state stays as it is: what is under way was admitted
    /// under conditions that no longer hold.
    fn enter(&mut self, phase: Phase) -> Option<Transition> {
        let from = self.state();
        self.phase = phase;
        self.generation += 1;
        let to = self.state();
        (from != to).then_some(Transition {
            from,
            to,
            generation: self.generation,
            because: self.opened.filter(|_| to == BreakerState::Open),
        })
    }
}

#[cfg(test)]
mod tests;
