//! `[POLICY.bulkhead]`: how many attempts may run at once.

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::duration;
use super::error::ConfigError;
#[cfg(feature = "serde")]
use super::optional;
use super::section::Section;

/// Beyond this a process runs out of sockets long before the bulkhead is full.
const MAX_CONCURRENT: u32 = 1_000_000;
/// The queue's memory is taken at start.
const MAX_WAITING: u32 = 100_000;

/// How many attempts may run at once, and how many may wait.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct BulkheadConfig {
    /// Attempts that may run at once.
    pub max_concurrent: u32,
    /// Attempts that may wait for a slot; more are refused at once.
    pub max_waiting: u32,
    /// The longest wait for a slot.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub max_wait: Duration,
    /// Finds by itself how many attempts may run at once, up to `max_concurrent`; `None`: always so many.
    #[cfg_attr(feature = "serde", serde(with = "optional"))]
    pub adaptive: Option<AdaptiveConfig>,
}

/// How the limit follows what the dependency bears.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct AdaptiveConfig {
    /// It never falls below.
    pub min: u32,
    /// Where it starts.
    pub initial: u32,
    /// Latency up to so many times the least is normal, at least 1.
    pub tolerance: f64,
    /// By which share it grows while all is well, to find out whether there is room.
    pub headroom: f64,
    /// How often the least latency is measured anew.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub remeasure: Duration,
}

impl AdaptiveConfig {
    fn validate(&self, section: &Section, max: u32) -> Result<(), ConfigError> {
        section.count("min", self.min, max)?;
        section.count("initial", self.initial, MAX_CONCURRENT)?;
        section.number("tolerance", self.tolerance, 1.0, 10.0)?;
        section.number("headroom", self.headroom, 0.01, 1.0)?;
        section.span("remeasure", self.remeasure)
    }
}

impl BulkheadConfig {
    /// `spare` is what the deadline leaves beside one attempt.
    pub(super) fn validate(&self, section: &Section, spare: Duration) -> Result<(), ConfigError> {
        let wait = duration::text(self.max_wait);
        section.count("max_concurrent", self.max_concurrent, MAX_CONCURRENT)?;
        section.at_most("max_waiting", self.max_waiting, MAX_WAITING)?;
        if let Some(adaptive) = &self.adaptive {
            adaptive.validate(&section.sub("adaptive"), self.max_concurrent)?;
        }
        section.wait("max_wait", self.max_wait)?;
        if (self.max_waiting == 0) != self.max_wait.is_zero() {
            let rule = format!(
                "max_waiting is {}: have both zero (refuse at once) or both above zero (queue)",
                self.max_waiting
            );
            return section.refuse("max_wait", wait, rule);
        }
        if self.max_wait > spare {
            let spare = duration::text(spare);
            let rule = format!("must not be above deadline less attempt_timeout ({spare})");
            return section.refuse("max_wait", wait, rule);
        }
        Ok(())
    }
}
