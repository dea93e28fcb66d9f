//! The decision core of the adaptive limit: how many attempts may run at once, from how long they take.
//! Pure; takes every instant.
//!
//! While latency stays near the least that was measured, a limit that is used grows; where latency grows
//! instead, attempts wait inside the dependency, and the limit shrinks by as much. Attempts that were
//! admitted before it last shrank are not looked at, so nothing is reacted to twice.
//!
//! The least latency is *measured*, not remembered: from time to time the limit steps down for as long as
//! latency falls with it. So a figure learned while the dependency was degraded, or while this limit
//! itself kept it congested, does not stay.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::AdaptiveConfig;

/// A window ends after this time at the earliest, with so many attempts in it; with fewer after
/// `PATIENCE`. In seconds.
const WINDOW: f64 = 0.1;
const ATTEMPTS: u32 = 20;
const PATIENCE: f64 = 1.0;
/// Nor does it end before attempts could come and go this often: the slow ones must be in it as well.
const TURNS: f64 = 2.0;
/// A limit is in use if at least this share of it was taken at once.
const USED: f64 = 0.8;
/// What remains of the limit when a tenth of the attempts time out or are refused.
const BACKOFF: f64 = 0.8;
const OVERLOADED: f64 = 0.1;
/// However steep the rise, one window does not take more than half.
const STEEPEST: f64 = 0.5;
/// Seconds by which latency may rise on a busy machine for no reason of the dependency's.
const NOISE: f64 = 0.005;
/// One step down of a measurement, and what of the latency is left if attempts were waiting.
const STEP: f64 = 0.75;
const FELL: f64 = 0.88;
/// How fast a lower latency than the least is believed; one that is lower by far, at once.
const BELIEF: f64 = 0.1;
const FAR_LOWER: f64 = 0.7;

#[derive(Debug)]
pub(crate) struct Adaptive {
    min: f64,
    max: f64,
    tolerance: f64,
    headroom: f64,
    remeasure: Duration,
    limit: f64,
    // Seconds.
    least: Option<f64>,
    // Until latency first rises the limit doubles.
    searching: bool,
    window: Window,
    // When the limit last shrank.
    shrank: Instant,
    measuring: Option<Measuring>,
    measure_at: Instant,
}

/// An attempt that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) admitted: Instant,
    pub(crate) ended: Instant,
    /// Attempts at once when it ended, itself included.
    pub(crate) in_flight: u32,
    pub(crate) signal: Signal,
}

/// What it says about the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It succeeded: it took as long as it takes.
    Answered,
    /// It timed out, or was refused for want of capacity.
    Overloaded,
    /// It was cut short, or failed by itself.
    Nothing,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    seconds: f64,
    answered: u32,
    overloaded: u32,
    peak: u32,
}

/// Stepping down to find the least latency.
#[derive(Clone, Copy, Debug)]
struct Measuring {
    /// The limit before the last step, and the latency there.
    above: f64,
    latency: f64,
}

impl Adaptive {
    pub(crate) fn new(config: &AdaptiveConfig, max: u32, now: Instant) -> Self {
        let max = f64::from(max);
        let min = f64::from(config.min).min(max);
        Self {
            min,
            max,
            tolerance: config.tolerance,
            headroom: config.headroom,
            remeasure: config.remeasure,
            limit: f64::from(config.initial).clamp(min, max),
            least: None,
            searching: true,
            window: Window::new(now, 0),
            shrank: now,
            measuring: None,
            measure_at: now + config.remeasure,
        }
    }

    /// Goes by `config` from now on, from the limit it has found.
    pub(crate) fn reconfigure(&mut self, config: &AdaptiveConfig, max: u32, now: Instant) {
        let fresh = Self::new(config, max, now);
        *self = Self {
            limit: self.limit.clamp(fresh.min, fresh.max),
            least: self.least,
            searching: self.searching,
            ..fresh
        };
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between the limits of a u32"
    )]
    pub(crate) fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Seconds that an attempt takes at the least; `None` until one is over.
    pub(crate) fn least(&self) -> Option<f64> {
        self.least
    }

    /// Takes an attempt into account; whether the limit may have changed.
    pub(crate) fn observe(&mut self, sample: Sample) -> bool {
        self.window.peak = self.window.peak.max(sample.in_flight);
        if sample.admitted >= self.shrank {
            self.window.add(sample);
        }
        let over = self.window.is_over(sample.ended);
        if over {
            let before = self.limit;
            self.conclude(sample.ended);
            self.limit = self.limit.clamp(self.min, self.max);
            if self.limit < before {
                self.shrank = sample.ended;
            }
            self.window = Window::new(sample.ended, sample.in_flight);
        }
        over
    }

    fn conclude(&mut self, now: Instant) {
        if self.window.is_overloaded() {
            // Where nothing at all is answered and the limit is not in use, such as while a breaker probes, the
            // dependency is down, which says nothing of what it bears.
            if self.window.answered == 0 && !self.is_used() {
                return;
            }
            self.searching = false;
            // What a measurement found so far is worth nothing.
            self.measuring = None;
            self.limit *= BACKOFF;
            return;
        }
        let Some(latency) = self.window.latency() else {
            return;
        };
        match self.measuring {
            Some(measuring) => self.step_down_or_stop(measuring, latency, now),
            None => self.follow(latency, now),
        }
    }

    fn follow(&mut self, latency: f64, now: Instant) {
        let used = self.is_used();
        let least = self.least.get_or_insert(latency);
        if latency < *least * FAR_LOWER {
            *least = latency;
        } else if latency < *least {
            *least += (latency - *least) * BELIEF;
        }
        let normal = (self.tolerance * *least).max(*least + NOISE);
        let gradient = (normal / latency).clamp(STEEPEST, 1.0);
        if self.searching && gradient < 1.0 {
            // The dependency may have been crowded from the start: measure, when the crowd of the last
            // doubling has shown all of its effect.
            self.searching = false;
            self.measure_at = now;
        } else if now >= self.measure_at {
            self.measure(latency, used, now);
        } else if gradient < 1.0 {
            self.limit *= gradient;
        } else if used {
            let growth = if self.searching {
                2.0
            } else {
                1.0 + self.headroom
            };
            // A small limit grows too.
            self.limit = (self.limit * growth).max(self.limit + 1.0);
        }
    }

    fn is_used(&self) -> bool {
        f64::from(self.window.peak) >= self.limit * USED
    }

    /// A limit that is not in use, or cannot be lower, measures as it is.
    fn measure(&mut self, latency: f64, used: bool, now: Instant) {
        if !used || self.limit <= self.min {
            self.measured(latency, now);
        } else {
            self.measuring = Some(Measuring {
                above: self.limit,
                latency,
            });
            self.limit *= STEP;
        }
    }

    fn step_down_or_stop(&mut self, measuring: Measuring, latency: f64, now: Instant) {
        let fell = latency < measuring.latency * FELL;
        if fell && self.limit > self.min {
            self.searching = false;
            self.measuring = Some(Measuring {
                above: self.limit,
                latency,
            });
            self.limit *= STEP;
        } else {
            self.measuring = None;
            self.measured(latency.min(measuring.latency), now);
            if !fell {
                // There nothing waited either.
                self.limit = measuring.above;
            }
        }
    }

    fn measured(&mut self, latency: f64, now: Instant) {
        self.least = Some(latency);
        self.measure_at = now + self.remeasure;
    }
}

impl Window {
    fn new(since: Instant, in_flight: u32) -> Self {
        Self {
            since,
            seconds: 0.0,
            answered: 0,
            overloaded: 0,
            peak: in_flight,
        }
    }

    fn add(&mut self, sample: Sample) {
        match sample.signal {
            Signal::Answered => {
                let took = sample.ended.saturating_duration_since(sample.admitted);
                self.seconds += took.as_secs_f64();
                self.answered += 1;
            }
            Signal::Overloaded => self.overloaded += 1,
            Signal::Nothing => {}
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.since).as_secs_f64();
        let attempts = self.answered + self.overloaded;
        let turns = self.latency().unwrap_or_default() * TURNS;
        age >= WINDOW.max(turns) && attempts >= ATTEMPTS
            || age >= PATIENCE.max(2.0 * turns) && attempts > 0
    }

    fn is_overloaded(&self) -> bool {
        let attempts = f64::from(self.answered + self.overloaded);
        self.overloaded > 0 && f64::from(self.overloaded) >= attempts * OVERLOADED
    }

    /// Seconds, on the average. Never nothing, for it divides.
    fn latency(&self) -> Option<f64> {
        let answered = f64::from(self.answered);
        (self.answered > 0).then(|| (self.seconds / answered).max(1e-9))
    }
}

#[cfg(test)]
mod tests;
