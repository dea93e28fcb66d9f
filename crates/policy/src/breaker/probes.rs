//! The probes of a half-open breaker: how many run, what they found, and the verdict.
//!
//! The verdict is by count and looks at nothing from before: it falls as soon as so many of the
//! probes are bad that the failure rate is reached, or so many good that it cannot be. A slow probe
//! is a bad one. Never are more probes out than the verdict still needs, and each holds its slot on
//! a lease: a probe whose future is neither polled nor dropped cannot wedge the breaker.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

use super::window::Record;
use crate::config::BreakerConfig;
use crate::deadline::Deadline;

/// So many answers for each probe that say nothing, and the phase ends all the same: a dependency
/// that only ever objects to its requests must not stay half open for ever.
const NEUTRAL_PER_PROBE: u32 = 5;

/// Names the lease that a probe holds. No two leases of a breaker have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProbeKey(NonZeroU64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Undecided,
    Close,
    Reopen,
}

#[derive(Debug)]
pub(super) struct Probes {
    lease: Duration,
    slots: Box<[Option<Lease>]>,
    next: ProbeKey,
    // So many bad ones reopen.
    bad_to_reopen: u32,
    good: u32,
    bad: u32,
    neutral: u32,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeResult {
    Counted(Record),
    /// The dependency answered, and the answer says nothing about its health.
    Neutral,
    /// It never got an answer, for reasons that are not the dependency's.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    key: ProbeKey,
    ends: Instant,
}

impl Probes {
    pub(super) fn new(config: &BreakerConfig, lease: Duration) -> Self {
        let calls = config.half_open_calls.max(1);
        let reaches = |bad: &u32| f64::from(*bad) / f64::from(calls) >= config.failure_rate;
        Self {
            lease,
            slots: vec![None; calls as usize].into_boxed_slice(),
            next: ProbeKey(NonZeroU64::MIN),
            bad_to_reopen: (1..=calls).find(reaches).unwrap_or(calls),
            good: 0,
            bad: 0,
            neutral: 0,
        }
    }

    /// None is out; keys go on, so that none from before fits.
    pub(super) fn reconfigure(&mut self, config: &BreakerConfig, lease: Duration) {
        let next = self.next;
        *self = Self {
            next,
            ..Self::new(config, lease)
        };
    }

    /// Probes that were counted, and the bad ones among them.
    pub(super) fn figures(&self) -> (u32, u32) {
        (self.good + self.bad, self.bad)
    }

    /// A new half-open phase begins. Keys go on, so that none from before fits.
    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
        self.good = 0;
        self.bad = 0;
        self.neutral = 0;
    }

    /// A slot for one more probe, or how long until one is free at the latest.
    pub(super) fn admit(&mut self, now: Instant) -> Result<ProbeKey, Duration> {
        self.expire(now);
        let out = self.slots.iter().flatten().count();
        let needed = self
            .slots
            .len()
            .saturating_sub((self.good + self.bad) as usize);
        let free = self.slots.iter().position(Option::is_none);
        match free {
            Some(slot) if out < needed => Ok(self.lend(slot, now)),
            _ => Err(self.earliest_end(now)),
        }
    }

    /// A probe is over. A lease that has been taken away since says nothing.
    pub(super) fn settle(&mut self, key: ProbeKey, result: ProbeResult) -> Verdict {
        let holds = |slot: &&mut Option<Lease>| slot.is_some_and(|lease| lease.key == key);
        let Some(slot) = self.slots.iter_mut().find(holds) else {
            return Verdict::Undecided;
        };
        *slot = None;
        match result {
            ProbeResult::Counted(record) if record.is_good() => self.good += 1,
            ProbeResult::Counted(_) => self.bad += 1,
            ProbeResult::Neutral => self.neutral += 1,
            ProbeResult::Nothing => {}
        }
        self.verdict()
    }

    fn verdict(&self) -> Verdict {
        if self.bad >= self.bad_to_reopen {
            Verdict::Reopen
        } else if (self.good + self.bad_to_reopen) as usize > self.slots.len() {
            Verdict::Close
        } else if self.neutral as usize >= NEUTRAL_PER_PROBE as usize * self.slots.len() {
            // What was counted decides; if nothing was, the dependency did answer each time. Should
            // it fail after all, the closed breaker will see it.
            if self.bad > 0 {
                Verdict::Reopen
            } else {
                Verdict::Close
            }
        } else {
            Verdict::Undecided
        }
    }

    fn lend(&mut self, slot: usize, now: Instant) -> ProbeKey {
        let key = self.next;
        self.next = ProbeKey(key.0.saturating_add(1));
        let ends = Deadline::at(now).plus(self.lease).instant();
        if let Some(free) = self.slots.get_mut(slot) {
            *free = Some(Lease { key, ends });
        }
        key
    }

    fn expire(&mut self, now: Instant) {
        for slot in &mut self.slots {
            if slot.is_some_and(|lease| lease.ends <= now) {
                *slot = None;
            }
        }
    }

    fn earliest_end(&self, now: Instant) -> Duration {
        let ends = self.slots.iter().flatten().map(|lease| lease.ends).min();
        ends.map_or(Duration::ZERO, |end| end.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests;
