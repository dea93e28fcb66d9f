//! What happened since the limit was last decided on.

use std::time::Duration;

use tokio::time::Instant;

use super::{Sample, Signal};

/// A window ends after this time at the earliest, with so many attempts in it; with fewer after
/// `PATIENCE`. In seconds.
const WINDOW: f64 = 0.1;
const ATTEMPTS: u32 = 20;
const PATIENCE: f64 = 1.0;
/// Nor does it end before attempts could come and go this often: the slow ones must be in it as well.
const TURNS: f64 = 2.0;
/// At this share of timeouts and refusals the dependency is overloaded, and where all that ended was given up.
const OVERLOADED: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Window {
    pub(super) since: Instant,
    // Before this it is not over, whatever is in it.
    earliest: Instant,
    // Of those answered or given up.
    seconds: f64,
    pub(super) answered: u32,
    given_up: u32,
    overloaded: u32,
    // Of all three, those that ended while the limit was in use.
    in_use: u32,
    pub(super) peak: u32,
}

impl Window {
    pub(super) fn new(since: Instant) -> Self {
        Self {
            since,
            earliest: since + Duration::from_secs_f64(WINDOW),
            seconds: 0.0,
            answered: 0,
            given_up: 0,
            overloaded: 0,
            in_use: 0,
            peak: 0,
        }
    }

    pub(super) fn add(&mut self, sample: Sample, in_use: bool) {
        match sample.signal {
            Signal::Answered => {
                self.seconds += sample.seconds();
                self.answered += 1;
            }
            Signal::GivenUp => {
                self.seconds += sample.seconds();
                self.given_up += 1;
            }
            Signal::Overloaded => self.overloaded += 1,
            Signal::Nothing => return,
        }
        self.in_use += u32::from(in_use);
    }

    pub(super) fn is_used(&self) -> bool {
        2 * self.in_use >= self.attempts()
    }

    fn attempts(&self) -> u32 {
        self.answered + self.given_up + self.overloaded
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        if now < self.earliest {
            return false;
        }
        let age = now.saturating_duration_since(self.since).as_secs_f64();
        let attempts = self.attempts();
        let turns = self.latency().unwrap_or_default() * TURNS;
        age >= WINDOW.max(turns) && attempts >= ATTEMPTS
            || age >= PATIENCE.max(2.0 * turns) && attempts > 0
    }

    pub(super) fn is_overloaded(&self) -> bool {
        let attempts = f64::from(self.attempts());
        let nothing_answered = self.answered == 0 && self.given_up > 0;
        nothing_answered
            || self.overloaded > 0 && f64::from(self.overloaded) >= attempts * OVERLOADED
    }

    /// Seconds, on the average, at the least. Never nothing, for it divides.
    pub(super) fn latency(&self) -> Option<f64> {
        let timed = self.answered + self.given_up;
        (timed > 0).then(|| (self.seconds / f64::from(timed)).max(1e-9))
    }
}
