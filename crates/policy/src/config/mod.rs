//! The configuration of one policy, as it stands in an operator's file.
//!
//! Every key has a default; each policy's own page has the table of its keys. Any policy but the deadline
//! can be left out: `retry = false`, or `None` in Rust. Unknown keys are refused, and
//! [`PolicyConfig::validate`] refuses what parses but cannot work.
//!
//! [`PolicyConfig::default`] is cautious and knows nothing of the dependency;
//! [`PolicyConfig::http_call`] and [`PolicyConfig::database_statement`] are closer to most.
//!
//! Keys are added in minor versions, with a default that changes nothing. So write a configuration in Rust with
//! `..PolicyConfig::default()`, or one of the presets, and each of its sections likewise; a literal that names every key stops
//! compiling when there is one more.

mod breaker;
mod bulkhead;
mod duration;
mod error;
mod hedge;
#[cfg(feature = "serde")]
pub mod optional;
mod presets;
mod retry;
mod section;
#[cfg(feature = "serde")]
mod text;
mod window;

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use self::breaker::BreakerConfig;
pub use self::bulkhead::{AdaptiveConfig, BulkheadConfig};
pub use self::error::ConfigError;
pub use self::hedge::{HedgeConfig, HedgeDelay};
pub use self::retry::{BackoffConfig, BudgetConfig, RetryConfig, ThrottledConfig};
pub use self::window::Window;

use self::breaker::Longest;
use self::section::Section;

/// What an attempt must have left of the deadline if no attempt timeout says more: timers tick in whole
/// milliseconds.
const LEAST: Duration = Duration::from_millis(1);

/// Everything that governs calls to one dependency. Durations are text such as `"250ms"`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
pub struct PolicyConfig {
    /// The longest a single attempt may take; `None`: as long as the deadline lets it.
    #[cfg_attr(feature = "serde", serde(with = "optional::duration"))]
    pub attempt_timeout: Option<Duration>,
    /// The longest a call may take, with all its attempts and waits.
    #[cfg_attr(feature = "serde", serde(with = "duration"))]
    pub deadline: Duration,
    /// Whether repeating a call is harmless, unless the call itself says otherwise.
    pub idempotent: bool,
    /// When and how often to try again; `None`: never.
    #[cfg_attr(feature = "serde", serde(with = "optional"))]
    pub retry: Option<RetryConfig>,
    /// When to start a second attempt beside a slow one; `None`: never.
    #[cfg_attr(feature = "serde", serde(with = "optional"))]
    pub hedge: Option<HedgeConfig>,
    /// When to stop calling a failing dependency; `None`: never.
    #[cfg_attr(feature = "serde", serde(with = "optional"))]
    pub breaker: Option<BreakerConfig>,
    /// How many attempts may run at once; `None`: any number.
    #[cfg_attr(feature = "serde", serde(with = "optional"))]
    pub bulkhead: Option<BulkheadConfig>,
}

impl PolicyConfig {
    /// Checks the keys against each other. `section` is the name of this policy in the operator's
    /// file and starts the key that an error names.
    ///
    /// # Errors
    /// The first incoherence, with its key, value and rule.
    pub fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let section = Section::new(section);
        if let Some(attempt_timeout) = self.attempt_timeout {
            section.span("attempt_timeout", attempt_timeout)?;
        }
        section.span("deadline", self.deadline)?;
        let attempt = self.longest_attempt();
        if attempt.time > self.deadline {
            let limit = duration::text(self.deadline);
            return section.refuse(
                attempt.key,
                duration::text(attempt.time),
                format!("must not be above deadline ({limit}), or no attempt ever has time to end"),
            );
        }
        if let Some(retry) = &self.retry {
            retry.validate(&section.sub("retry"))?;
        }
        if let Some(hedge) = &self.hedge {
            hedge.validate(&section.sub("hedge"), attempt)?;
        }
        if let Some(breaker) = &self.breaker {
            breaker.validate(&section.sub("breaker"), attempt)?;
        }
        let spare = self.deadline.saturating_sub(self.needed());
        match &self.bulkhead {
            Some(bulkhead) => bulkhead.validate(&section.sub("bulkhead"), spare),
            None => Ok(()),
        }
    }

    /// What must be left of the deadline for an attempt to start.
    pub(crate) fn needed(&self) -> Duration {
        self.attempt_timeout.unwrap_or(LEAST)
    }

    /// Twice what an attempt can last: only a probe that nobody polls holds its slot that long.
    pub(crate) fn lease(&self) -> Duration {
        let waits = self.bulkhead.as_ref().map(|bulkhead| bulkhead.max_wait);
        (self.longest_attempt().time + waits.unwrap_or_default()) * 2
    }

    fn longest_attempt(&self) -> Longest {
        match self.attempt_timeout {
            Some(time) => Longest {
                key: "attempt_timeout",
                time,
            },
            None => Longest {
                key: "deadline",
                time: self.deadline,
            },
        }
    }
}
