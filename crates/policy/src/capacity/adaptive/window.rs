//! What happened since the limit was last decided on.

use tokio::time::Instant;

use super::{Sample, Signal};

/// A window ends after this time at the earliest, with so many attempts in it; with fewer after
/// `PATIENCE`. In seconds.
const WINDOW: f64 = 0.1;
const ATTEMPTS: u32 = 20;
const PATIENCE: f64 = 1.0;
/// Nor does it end before attempts could come and go this often: the slow ones must be in it as well.
const TURNS: f64 = 2.0;
/// At this share of timeouts and refusals the dependency is overloaded.
const OVERLOADED: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Window {
    pub(super) since: Instant,
    // Of those answered.
    seconds: f64,
    pub(super) answered: u32,
    overloaded: u32,
    // Of both, those that ended while the limit was in use.
    in_use: u32,
    pub(super) peak: u32,
}

impl Window {
    pub(super) fn new(since: Instant) -> Self {
        Self {
            since,
            seconds: 0.0,
            answered: 0,
            overloaded: 0,
            in_use: 0,
            peak: 0,
        }
    }

    pub(super) fn add(&mut self, sample: Sample, in_use: bool) {
        match sample.signal {
            Signal::Answered => {
                let took = sample.ended.saturating_duration_since(sample.admitted);
                self.seconds += took.as_secs_f64();
                self.answered += 1;
            }
            Signal::Overloaded => self.overloaded += 1,
            Signal::Nothing => return,
        }
        self.in_use += u32::from(in_use);
    }

    pub(super) fn is_used(&self) -> bool {
        2 * self.in_use >= self.answered + self.overloaded
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.since).as_secs_f64();
        let attempts = self.answered + self.overloaded;
        let turns = self.latency().unwrap_or_default() * TURNS;
        age >= WINDOW.max(turns) && attempts >= ATTEMPTS
            || age >= PATIENCE.max(2.0 * turns) && attempts > 0
    }

    pub(super) fn is_overloaded(&self) -> bool {
        let attempts = f64::from(self.answered + self.overloaded);
        self.overloaded > 0 && f64::from(self.overloaded) >= attempts * OVERLOADED
    }

    /// Seconds, on the average. Never nothing, for it divides.
    pub(super) fn latency(&self) -> Option<f64> {
        let answered = f64::from(self.answered);
        (self.answered > 0).then(|| (self.seconds / answered).max(1e-9))
    }
}
