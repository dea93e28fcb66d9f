//! What a breaker is, in the plainest words: every attempt and every record kept in a list, every
//! number counted anew when it is asked for.

use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{End, Refused};
use super::{CONCURRENCY, LEASE};
use crate::config::{BreakerConfig, Window};
use crate::snapshot::BreakerState;

#[derive(Debug)]
struct Attempt {
    number: u64,
    era: u64,
    since: Instant,
    /// From when on its slot goes to whoever asks, if it is a probe.
    lease_ends: Option<Instant>,
    lost: bool,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    at: Instant,
    failed: bool,
    slow: bool,
}

#[derive(Debug)]
pub(super) struct Reference {
    config: BreakerConfig,
    origin: Instant,
    state: BreakerState,
    /// Everything that happens between two changes of state. What began in another era is ignored.
    era: u64,
    attempts: Vec<Attempt>,
    next: u64,
    records: Vec<Record>,
    good_probes: u32,
    bad_probes: u32,
    neutral_probes: u32,
    open_until: Option<Instant>,
    /// Openings since health, and how long the last one was.
    openings: u32,
    last_open_time: Duration,
    opened_anew: bool,
    closed_at: Option<Instant>,
    ramp_since: Option<Instant>,
}

impl Reference {
    pub(super) fn new(config: BreakerConfig, origin: Instant) -> Self {
        Self {
            config,
            origin,
            state: BreakerState::Closed,
            era: 0,
            attempts: Vec::new(),
            next: 0,
            records: Vec::new(),
            good_probes: 0,
            bad_probes: 0,
            neutral_probes: 0,
            open_until: None,
            openings: 0,
            last_open_time: Duration::ZERO,
            opened_anew: false,
            closed_at: None,
            ramp_since: None,
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.state
    }

    pub(super) fn retry_after(&self, now: Instant) -> Option<Duration> {
        let until = self.open_until.filter(|_| self.state == BreakerState::Open);
        until.map(|until| until.saturating_duration_since(now))
    }

    pub(super) fn failure_rate(&self, now: Instant) -> Option<f64> {
        self.rate(now, |record| record.failed)
    }

    pub(super) fn slow_call_rate(&self, now: Instant) -> Option<f64> {
        self.rate(now, |record| record.slow)
    }

    pub(super) fn ramp_limit(&self, now: Instant) -> u32 {
        self.ramp(now).map_or(CONCURRENCY, |(limit, _)| limit)
    }

    /// The number of an attempt that may start.
    pub(super) fn admit(&mut self, now: Instant) -> Result<u64, Refused> {
        if self.state == BreakerState::Open && self.open_until.is_some_and(|until| now >= until) {
            self.enter(BreakerState::HalfOpen);
            self.good_probes = 0;
            self.bad_probes = 0;
            self.neutral_probes = 0;
        }
        let mut lease_ends = None;
        match self.state {
            BreakerState::Open => return Err(Refused::Open(self.retry_after(now))),
            BreakerState::ForcedOpen => return Err(Refused::Open(None)),
            BreakerState::HalfOpen => {
                self.take_away_leases(now);
                let out: Vec<_> = self.probes_out().collect();
                let needed = self.config.half_open_calls - self.good_probes - self.bad_probes;
                if out.len() as u32 >= needed {
                    let earliest = out.iter().min().map(|end| *end - now);
                    return Err(Refused::Open(Some(earliest.unwrap_or_default())));
                }
                lease_ends = Some(now + LEASE);
            }
            BreakerState::Closed => {
                let under_way = self.attempts.iter().filter(|it| it.era == self.era).count();
                if let Some((limit, left)) = self.ramp(now)
                    && under_way as u32 >= limit
                {
                    return Err(Refused::Ramp(left));
                }
            }
            BreakerState::Disabled => {}
        }
        self.next += 1;
        self.attempts.push(Attempt {
            number: self.next,
            era: self.era,
            since: now,
            lease_ends,
            lost: false,
        });
        Ok(self.next)
    }

    pub(super) fn end(&mut self, number: u64, end: End, now: Instant) {
        let index = self.attempts.iter().position(|it| it.number == number);
        let attempt = self.attempts.remove(index.unwrap());
        if attempt.era != self.era {
            return;
        }
        let slow = self.config.slow_call;
        let slow = slow.is_some_and(|limit| now - attempt.since >= limit);
        let failed = match end {
            End::Success => false,
            End::Failure | End::TimedOut | End::Panicked => true,
            End::Dropped if slow => true,
            End::Neutral if self.state == BreakerState::HalfOpen && !attempt.lost => {
                self.neutral_probes += 1;
                return self.tire_of_neutral_probes(now);
            }
            End::Dropped | End::Neutral | End::NeverReached => return,
        };
        match self.state {
            BreakerState::Closed => {
                self.records.push(Record {
                    at: now,
                    failed,
                    slow,
                });
                if self.must_open(now) {
                    self.open(now);
                }
            }
            BreakerState::HalfOpen if !attempt.lost => self.probed(!failed && !slow, now),
            _ => {}
        }
    }

    /// The breaker draws its open times; this one is as long as they may be, and is taken over.
    pub(super) fn learn_open_time(&mut self, drawn: Option<Duration>, now: Instant) {
        if !std::mem::take(&mut self.opened_anew) {
            return;
        }
        let (first, cap) = (self.config.open_for, self.config.max_open_for);
        let scheduled = (first * 2_u32.pow(self.openings.min(10))).min(cap);
        let longest = (scheduled + scheduled / 5).min(cap);
        let shortest = scheduled.min(first.max(cap - cap / 6));
        let drawn = drawn.expect("it is open");
        assert!((shortest..=longest).contains(&drawn), "open for {drawn:?}");
        self.openings += 1;
        self.last_open_time = drawn;
        self.open_until = Some(now + drawn);
    }

    pub(super) fn force_open(&mut self) {
        self.enter(BreakerState::ForcedOpen);
    }

    pub(super) fn disable(&mut self) {
        self.enter(BreakerState::Disabled);
    }

    pub(super) fn reset(&mut self) {
        self.enter(BreakerState::Closed);
        self.records.clear();
        self.openings = 0;
        self.closed_at = None;
        self.ramp_since = None;
    }

    fn enter(&mut self, state: BreakerState) {
        self.state = state;
        self.era += 1;
    }

    fn open(&mut self, now: Instant) {
        let health = self.closed_at.take().map(|at| now - at);
        if health.is_some_and(|health| health >= self.last_open_time) {
            self.openings = 0;
        }
        self.opened_anew = true;
        self.enter(BreakerState::Open);
    }

    fn probed(&mut self, good: bool, now: Instant) {
        self.good_probes += u32::from(good);
        self.bad_probes += u32::from(!good);
        let probes = self.config.half_open_calls;
        let too_many = |bad: &u32| f64::from(*bad) / f64::from(probes) >= self.config.failure_rate;
        let too_many = (1..=probes).find(too_many).unwrap();
        if self.bad_probes >= too_many {
            self.open(now);
        } else if self.good_probes > probes - too_many {
            self.close(now);
        }
    }

    fn tire_of_neutral_probes(&mut self, now: Instant) {
        if self.neutral_probes < 5 * self.config.half_open_calls {
        } else if self.bad_probes > 0 {
            self.open(now);
        } else {
            self.close(now);
        }
    }

    fn close(&mut self, now: Instant) {
        self.records.clear();
        self.closed_at = Some(now);
        self.ramp_since = Some(now);
        self.enter(BreakerState::Closed);
    }

    fn must_open(&self, now: Instant) -> bool {
        let streak = self.records.iter().rev().take_while(|it| it.failed).count();
        let enough = self.in_window(now).count() as u32 >= self.config.minimum_calls;
        let fails = self.failure_rate(now) >= Some(self.config.failure_rate);
        let slow = self.config.slow_call_rate;
        let slow = slow.is_some_and(|limit| self.slow_call_rate(now) >= Some(limit));
        streak as u32 >= self.config.consecutive_failures || enough && (fails || slow)
    }

    fn in_window(&self, now: Instant) -> impl Iterator<Item = &Record> {
        let (records, origin) = (self.records.len(), self.origin);
        let window = self.config.window;
        let bucket =
            move |at: Instant, width: Duration| (at - origin).as_nanos() / width.as_nanos();
        let holds = move |(index, record): &(usize, &Record)| match window {
            Window::Calls(calls) => index + calls as usize >= records,
            Window::Time(span) => bucket(record.at, span / 20) + 20 > bucket(now, span / 20),
        };
        let held = self.records.iter().enumerate().filter(holds);
        held.map(|(_, record)| record)
    }

    fn rate(&self, now: Instant, counts: impl Fn(&Record) -> bool) -> Option<f64> {
        let calls = self.in_window(now).count();
        let counted = self.in_window(now).filter(|record| counts(record)).count();
        (calls > 0).then(|| counted as f64 / calls as f64)
    }

    /// How many attempts may run at once, and how long that will go on; `None`: no ramp.
    fn ramp(&self, now: Instant) -> Option<(u32, Duration)> {
        let elapsed = now - self.ramp_since?;
        let left = self.config.ramp.checked_sub(elapsed)?;
        let grown = elapsed.as_nanos() * u128::from(CONCURRENCY);
        let limit = grown.checked_div(self.config.ramp.as_nanos())? as u32;
        (left > Duration::ZERO).then_some((limit.clamp(1, CONCURRENCY), left))
    }

    fn probes_out(&self) -> impl Iterator<Item = Instant> {
        let of_now = self
            .attempts
            .iter()
            .filter(|it| it.era == self.era && !it.lost);
        of_now.filter_map(|it| it.lease_ends)
    }

    fn take_away_leases(&mut self, now: Instant) {
        for attempt in &mut self.attempts {
            attempt.lost |= attempt.lease_ends.is_some_and(|end| end <= now);
        }
    }
}
