//! The decision core of the adaptive limit: how many attempts may run at once, from how long they take.
//! Pure; takes every instant.
//!
//! While latency stays near the least that was measured, a limit that is used grows; where latency grows
//! instead, attempts wait inside the dependency, and the limit shrinks by as much. It looks at windows, and
//! in each only at attempts that were also admitted in it: the crowd that they met is this limit's, not the
//! last one's, so nothing is reacted to twice and no growth is judged by attempts that came before it.
//!
//! The least latency is *measured*, not remembered: from time to time, and when shrinking does not help, the
//! limit steps down for as long as latency falls with it. So a figure learned while the dependency was
//! degraded, or while this limit itself kept it congested, does not stay. A higher one is believed only after
//! a second step down, for noise hides the effect of one; and never of a limit that is not in use, which
//! can be a crowd all the same and cannot step down without refusing calls for nothing.

mod measuring;
mod sample;
mod window;

use std::time::Duration;

use tokio::time::Instant;

use self::measuring::Measuring;
pub(crate) use self::sample::{Sample, Signal};
use self::window::Window;
use crate::config::AdaptiveConfig;

/// A limit is in use if at least this share of it was taken when half of the attempts ended.
const USED: f64 = 0.8;
/// What remains of the limit in a window full of timeouts and refusals.
const BACKOFF: f64 = 0.8;
/// However steep the rise, one window does not take more than half.
const STEEPEST: f64 = 0.5;
/// Seconds by which latency may rise on a busy machine for no reason of the dependency's.
const NOISE: f64 = 0.005;
/// By which factor the limit grows until latency first rises: a dependency with some slack survives what it overshoots.
const SEARCH: f64 = 1.5;
/// One step down of a measurement, and what of the latency is left if attempts were waiting.
const STEP: f64 = 0.75;
const FELL: f64 = 0.88;
/// After so many windows in which shrinking did not help, the least latency may be wrong. It is not measured for
/// that more often than this share of the usual pause allows: a measurement refuses calls.
const IN_VAIN: u32 = 3;
const SOONEST: u32 = 4;
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
    // What use has shown it may be: what it loses while it is not in use comes back.
    proven: f64,
    // Seconds.
    least: Option<f64>,
    // Until latency first rises the limit grows faster.
    searching: bool,
    window: Window,
    shrank: Instant,
    // Windows in a row above what is normal.
    crowded: u32,
    measuring: Option<Measuring>,
    // When the least is measured anew, and from when on if shrinking does not help.
    measure_at: Instant,
    soonest_at: Instant,
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
            proven: f64::from(config.initial).clamp(min, max),
            least: None,
            searching: true,
            window: Window::new(now),
            shrank: now,
            crowded: 0,
            measuring: None,
            measure_at: now + config.remeasure,
            soonest_at: now + config.remeasure / SOONEST,
        }
    }

    /// Goes by `config` from now on, from the limit it has found.
    pub(crate) fn reconfigure(&mut self, config: &AdaptiveConfig, max: u32, now: Instant) {
        let fresh = Self::new(config, max, now);
        *self = Self {
            limit: self.limit.clamp(fresh.min, fresh.max),
            proven: self.proven.clamp(fresh.min, fresh.max),
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
        // What ends unanswered takes longer than most windows.
        let since = match sample.signal {
            Signal::Overloaded | Signal::GivenUp => self.shrank,
            Signal::Answered | Signal::Nothing => self.window.since,
        };
        if sample.admitted >= since && self.tells(sample) {
            let in_use = f64::from(sample.in_flight) >= self.limit * USED;
            self.window.add(sample, in_use);
        }
        let over = self.window.is_over(sample.ended);
        if over {
            let before = self.limit;
            let decided = self.measuring.map_or(before, |it| it.began);
            self.conclude(sample.ended);
            self.limit = self.limit.clamp(self.min, self.max);
            if self.limit < before {
                self.shrank = sample.ended;
            }
            // A measurement is one decision, however many steps it takes.
            if self.window.is_used() && self.measuring.is_none() {
                let kept = if self.limit < decided {
                    0.0
                } else {
                    self.proven
                };
                self.proven = self.limit.max(kept);
            }
            self.window = Window::new(sample.ended);
        }
        over
    }

    /// An attempt that is given up before it took longer than is normal says nothing. Later, its caller may have
    /// given up because the dependency is crowded: callers with less patience than the attempt timeout leave
    /// no other trace of it.
    fn tells(&self, sample: Sample) -> bool {
        sample.signal != Signal::GivenUp
            || self
                .least
                .is_some_and(|least| sample.seconds() > self.still_normal(least))
    }

    fn conclude(&mut self, now: Instant) {
        if self.window.is_overloaded() {
            // Where nothing at all is answered and the limit is not in use, such as while a breaker probes, the
            // dependency is down, which says nothing of what it bears.
            if self.window.answered == 0 && !self.window.is_used() {
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
        let used = self.window.is_used();
        let gradient = (self.normal(latency) / latency).clamp(STEEPEST, 1.0);
        let crowd = gradient < 1.0;
        self.crowded = if crowd { self.crowded + 1 } else { 0 };
        // The dependency may have been crowded from the start.
        let first = crowd && std::mem::take(&mut self.searching);
        if used && (first || self.is_due(now)) {
            self.measure(latency, now);
        } else if crowd {
            // What is not in use is not what the dependency suffers from: it goes, and nobody is refused.
            let spared = if used {
                0.0
            } else {
                f64::from(self.window.peak + 1) / USED
            };
            self.limit = (self.limit * gradient).max(spared.min(self.limit));
        } else if used {
            let growth = if self.searching {
                SEARCH
            } else {
                1.0 + self.headroom
            };
            self.limit = grown(self.limit, growth);
        } else if self.limit < self.proven {
            // What was taken for a crowd was none of ours, and is over.
            self.limit = grown(self.limit, 1.0 + self.headroom).min(self.proven);
        }
    }

    /// What latency is normal, after it was `latency`.
    fn normal(&mut self, latency: f64) -> f64 {
        let least = self.least.get_or_insert(latency);
        if latency < *least * FAR_LOWER {
            *least = latency;
            // Another dependency, and this may be its crowd: measured as soon as that can be.
            self.measure_at = self.window.since;
        } else if latency < *least {
            *least += (latency - *least) * BELIEF;
        }
        let least = *least;
        self.still_normal(least)
    }

    fn still_normal(&self, least: f64) -> f64 {
        (self.tolerance * least).max(least + NOISE)
    }

    fn is_due(&self, now: Instant) -> bool {
        now >= self.measure_at || self.crowded >= IN_VAIN && now >= self.soonest_at
    }

    /// A limit that cannot be lower measures as it is.
    fn measure(&mut self, latency: f64, now: Instant) {
        if self.limit <= self.min {
            self.measured(latency, now);
        } else {
            self.measuring = Some(Measuring {
                above: self.limit,
                latency,
                unsure: false,
                began: self.limit,
            });
            self.limit *= STEP;
        }
    }

    fn step_down_or_stop(&mut self, measuring: Measuring, latency: f64, now: Instant) {
        let fell = latency < measuring.latency * FELL;
        let found = latency.min(measuring.latency);
        let lowest = self.limit <= self.min;
        if fell && !lowest {
            self.measuring = Some(Measuring {
                above: self.limit,
                latency,
                unsure: false,
                ..measuring
            });
            self.limit *= STEP;
        } else if !fell && !lowest && !measuring.unsure && found > self.normal(found) {
            self.measuring = Some(Measuring {
                unsure: true,
                ..measuring
            });
            self.limit *= STEP;
        } else {
            self.measuring = None;
            self.measured(found, now);
            if !fell {
                // There nothing waited either.
                self.limit = measuring.above;
            }
        }
    }

    fn measured(&mut self, latency: f64, now: Instant) {
        self.least = Some(latency);
        self.measure_at = now + self.remeasure;
        self.soonest_at = now + self.remeasure / SOONEST;
        self.crowded = 0;
    }
}

/// A small limit grows too.
fn grown(limit: f64, growth: f64) -> f64 {
    (limit * growth).max(limit + 1.0)
}

#[cfg(test)]
mod tests;
