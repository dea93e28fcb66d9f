//! `[POLICY.bulkhead]`: how many attempts may run at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::error::ConfigError;
use super::section::Section;

/// Beyond this a process runs out of sockets long before the bulkhead is full.
const MOST_CONCURRENT: u32 = 1_000_000;
/// The queue's memory is taken at start.
const MOST_WAITING: u32 = 100_000;

/// How many attempts may run at once, and how many may wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkheadConfig {
    /// Attempts that may run at once.
    pub max_concurrent: u32,
    /// Attempts that may wait for a place; more are refused at once.
    pub max_waiting: u32,
    /// The longest wait for a place.
    #[serde(with = "duration")]
    pub max_wait: Duration,
}

impl BulkheadConfig {
    /// `spare` is what the deadline leaves beside one attempt.
    pub(super) fn validate(&self, section: &Section, spare: Duration) -> Result<(), ConfigError> {
        let wait = duration::text(self.max_wait);
        section.count("max_concurrent", self.max_concurrent, MOST_CONCURRENT)?;
        section.at_most("max_waiting", self.max_waiting, MOST_WAITING)?;
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
