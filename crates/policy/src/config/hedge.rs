//! `[POLICY.hedge]`: when to start a second attempt beside the first.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::breaker::Longest;
use super::duration;
use super::error::ConfigError;
use super::section::Section;

/// Half of all calls would be sent twice.
const LOWEST_PERCENTILE: u8 = 50;
const HIGHEST_PERCENTILE: u8 = 99;
/// The observed latencies are forgotten by halves, so that more are never held.
const MAX_CALLS: u32 = 500;

/// When to start a second attempt beside the first.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct HedgeConfig {
    /// How long the first attempt is waited for.
    pub after: HedgeDelay,
    /// A percentile is waited for at least so long, however fast the dependency.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub min_delay: Duration,
    /// No percentile is told from fewer answers: until then nothing is hedged.
    pub minimum_calls: u32,
}

/// How long the first attempt is waited for: `"p95"` is a percentile of what attempts took lately,
/// `"200ms"` a fixed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDelay {
    /// As long as so many of a hundred attempts took at most.
    Percentile(u8),
    /// Always so long.
    Fixed(Duration),
}

impl HedgeConfig {
    pub(super) fn validate(&self, section: &Section, attempt: Longest) -> Result<(), ConfigError> {
        let after = |rule: String| section.refuse("after", self.after, rule);
        match self.after {
            HedgeDelay::Percentile(LOWEST_PERCENTILE..=HIGHEST_PERCENTILE) => {}
            HedgeDelay::Percentile(_) => {
                return after(format!(
                    "must be a percentile from p{LOWEST_PERCENTILE} to p{HIGHEST_PERCENTILE}"
                ));
            }
            HedgeDelay::Fixed(time) => {
                section.span("after", time)?;
                if time >= attempt.time {
                    return after(never(attempt));
                }
            }
        }
        section.span("min_delay", self.min_delay)?;
        if self.min_delay >= attempt.time {
            let value = duration::text(self.min_delay);
            return section.refuse("min_delay", value, never(attempt));
        }
        section.count("minimum_calls", self.minimum_calls, MAX_CALLS)
    }
}

fn never(attempt: Longest) -> String {
    let Longest { key, time } = attempt;
    let time = duration::text(time);
    format!("must be below {key} ({time}), or no attempt is ever out for so long")
}

impl fmt::Display for HedgeDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::Fixed(time) => f.write_str(&duration::text(*time)),
        }
    }
}
