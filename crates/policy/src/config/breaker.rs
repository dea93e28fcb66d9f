//! `[POLICY.breaker]`: when to stop calling a failing dependency.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::duration;
use super::error::ConfigError;
use super::section::Section;
use super::window::Window;

/// The memory of a count window is taken at start, two bytes a call.
const MAX_CALLS: u32 = 1_000_000;
/// Probes are few by nature; each admission looks at all of them.
const MAX_PROBES: u32 = 1_000;
/// A ramp is a brake on a stampede, not a second outage.
const MAX_RAMP: Duration = Duration::from_secs(3);

/// When a breaker opens, for how long, and how it closes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct BreakerConfig {
    /// Over what the rates are taken: a time (`"10s"`) or a number of calls (`100`).
    pub window: Window,
    /// The rates count only when the window holds at least so many calls.
    pub minimum_calls: u32,
    /// Opens at this share of failures, above 0 and at most 1.
    pub failure_rate: f64,
    /// A call that takes this long, or longer, is slow. Absent: none is, and a call that its caller
    /// drops says nothing however long it hung.
    #[cfg_attr(feature = "serde", serde(with = "duration::optional"))]
    pub slow_call: Option<Duration>,
    /// Opens at this share of slow calls, above 0 and at most 1. Absent if `slow_call` is.
    pub slow_call_rate: Option<f64>,
    /// Opens at so many failures in a row, whatever the window holds.
    pub consecutive_failures: u32,
    /// The first open time; doubles with each opening that follows without health between.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub open_for: Duration,
    /// No open time is longer, jitter included.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub max_open_for: Duration,
    /// How many probes decide whether to close.
    pub half_open_calls: u32,
    /// How long concurrency takes to grow to the bulkhead's limit after closing; zero: at once.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub ramp: Duration,
}

/// The longest an attempt can take, and the key that says so.
#[derive(Clone, Copy)]
pub(super) struct Longest {
    pub(super) key: &'static str,
    pub(super) time: Duration,
}

impl fmt::Display for Longest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key, duration::text(self.time))
    }
}

impl BreakerConfig {
    pub(super) fn validate(&self, section: &Section, attempt: Longest) -> Result<(), ConfigError> {
        self.validate_window(section, attempt)?;
        section.rate("failure_rate", self.failure_rate)?;
        section.count("consecutive_failures", self.consecutive_failures, MAX_CALLS)?;
        self.validate_slow_call(section, attempt)?;
        self.validate_recovery(section)
    }

    fn validate_window(&self, section: &Section, attempt: Longest) -> Result<(), ConfigError> {
        section.count("minimum_calls", self.minimum_calls, MAX_CALLS)?;
        match self.window {
            Window::Calls(calls) => {
                section.count("window", calls, MAX_CALLS)?;
                if self.minimum_calls > calls {
                    let rule = format!("a window of {calls} calls never holds so many");
                    return section.refuse("minimum_calls", self.minimum_calls, rule);
                }
                Ok(())
            }
            Window::Time(span) => {
                section.span("window", span)?;
                if span < attempt.time {
                    let rule = format!("must not be shorter than {attempt}");
                    return section.refuse("window", self.window, rule);
                }
                Ok(())
            }
        }
    }

    fn validate_slow_call(&self, section: &Section, attempt: Longest) -> Result<(), ConfigError> {
        let (slow_call, rate) = match (self.slow_call, self.slow_call_rate) {
            (None, None) if attempt.key == "deadline" => {
                let rule = "without attempt_timeout it is needed: nothing else would see that the \
                            dependency hangs";
                return section.refuse("slow_call", "false", rule);
            }
            (None, None) => return Ok(()),
            (Some(slow_call), Some(rate)) => (slow_call, rate),
            (Some(slow_call), None) => {
                let rule = "needs slow_call_rate: nothing else looks at it";
                return section.refuse("slow_call", duration::text(slow_call), rule);
            }
            (None, Some(rate)) => {
                let rule = "needs slow_call, which says what is slow";
                return section.refuse("slow_call_rate", rate, rule);
            }
        };
        section.rate("slow_call_rate", rate)?;
        section.span("slow_call", slow_call)?;
        if slow_call > attempt.time {
            let rule = format!("must not be above {attempt}: none would be seen");
            return section.refuse("slow_call", duration::text(slow_call), rule);
        }
        Ok(())
    }

    fn validate_recovery(&self, section: &Section) -> Result<(), ConfigError> {
        section.span("open_for", self.open_for)?;
        section.span("max_open_for", self.max_open_for)?;
        if self.open_for > self.max_open_for {
            let max = duration::text(self.max_open_for);
            let rule = format!("must not be above max_open_for ({max})");
            return section.refuse("open_for", duration::text(self.open_for), rule);
        }
        section.count("half_open_calls", self.half_open_calls, MAX_PROBES)?;
        if self.ramp > MAX_RAMP {
            let rule = format!("must be at most {}", duration::text(MAX_RAMP));
            return section.refuse("ramp", duration::text(self.ramp), rule);
        }
        Ok(())
    }
}
