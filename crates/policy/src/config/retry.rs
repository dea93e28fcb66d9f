//! `[POLICY.retry]`: when and how often to try again.

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::duration;
use super::error::ConfigError;
use super::section::Section;

/// More tries than this are a loop, not a retry.
const MAX_ATTEMPTS: u32 = 100;
/// Tokens per second beyond which a budget limits nothing.
const HIGHEST_FLOOR: f64 = 1_000.0;

/// Tokens expire after ten seconds: a slower floor alone never makes a whole one.
const LOWEST_FLOOR: f64 = 0.1;

/// When and how often to try again.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct RetryConfig {
    /// Attempts per call, the first one included; 1 means no retry.
    pub max_attempts: u32,
    /// The wait between attempts.
    pub backoff: BackoffConfig,
    /// How much load all retries together may add.
    pub budget: BudgetConfig,
    /// How to retry what the dependency refused because it has too much to do.
    pub throttled: ThrottledConfig,
}

/// Retries of what the dependency refused because it has too much to do: they cost it less, so they
/// cost less here, and they help only if they come later.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct ThrottledConfig {
    /// Tokens of the budget that such a retry takes, up to the one that any other takes.
    pub cost: f64,
    /// How many times longer than any other it waits, at least 1. Also beyond `backoff.max`.
    pub slowdown: f64,
}

/// The wait before a retry: grows from `initial` by `multiplier` up to `max`. Each wait is then
/// drawn between half of that and the whole.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct BackoffConfig {
    /// The wait before the first retry.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub initial: Duration,
    /// No wait is longer.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub max: Duration,
    /// Growth per retry, at least 1.
    pub multiplier: f64,
}

/// How much load retries may add, over all calls of a policy.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct BudgetConfig {
    /// Retries granted per call: 0.1 is one for ten calls.
    pub ratio: f64,
    /// Retries granted per second besides, so that a quiet service can retry at all; what is not
    /// used within ten seconds expires.
    pub floor_per_second: f64,
}

impl RetryConfig {
    pub(super) fn validate(&self, section: &Section) -> Result<(), ConfigError> {
        section.count("max_attempts", self.max_attempts, MAX_ATTEMPTS)?;
        self.backoff.validate(&section.sub("backoff"))?;
        let budget = section.sub("budget");
        let BudgetConfig {
            ratio,
            floor_per_second,
        } = self.budget;
        budget.number("ratio", ratio, 0.0, 1.0)?;
        budget.number("floor_per_second", floor_per_second, 0.0, HIGHEST_FLOOR)?;
        if self.max_attempts > 1 && ratio == 0.0 && floor_per_second < LOWEST_FLOOR {
            let rule = format!(
                "with a ratio of 0 must be at least {LOWEST_FLOOR}, or no token is ever whole; to \
                 have no retries, set max_attempts to 1"
            );
            return budget.refuse("floor_per_second", floor_per_second, rule);
        }
        let throttled = section.sub("throttled");
        throttled.number("cost", self.throttled.cost, 0.1, 1.0)?;
        throttled.number("slowdown", self.throttled.slowdown, 1.0, 100.0)
    }
}

impl BackoffConfig {
    fn validate(&self, section: &Section) -> Result<(), ConfigError> {
        section.span("initial", self.initial)?;
        section.span("max", self.max)?;
        if self.initial > self.max {
            let max = duration::text(self.max);
            let rule = format!("must not be above max ({max})");
            return section.refuse("initial", duration::text(self.initial), rule);
        }
        section.number("multiplier", self.multiplier, 1.0, 100.0)
    }
}
