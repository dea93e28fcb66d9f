//! The configuration of one policy, as it stands in an operator's file.
//!
//! Every key is required here: defaults belong to the file, where the operator sees them. Unknown
//! keys are refused. [`PolicyConfig::validate`] refuses what parses but cannot work.

mod breaker;
mod bulkhead;
mod duration;
mod error;
mod retry;
mod section;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::breaker::BreakerConfig;
pub use self::bulkhead::BulkheadConfig;
pub use self::error::ConfigError;
pub use self::retry::{BackoffConfig, BudgetConfig, RetryConfig};
pub use self::window::Window;

use self::section::Section;

/// Everything that governs calls to one dependency. Durations are text such as `"250ms"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// The longest a single attempt may take.
    #[serde(with = "duration")]
    pub attempt_timeout: Duration,
    /// The longest a call may take, with all its attempts and waits.
    #[serde(with = "duration")]
    pub deadline: Duration,
    /// Whether repeating a call is harmless, unless the call itself says otherwise.
    pub idempotent: bool,
    /// When and how often to try again.
    pub retry: RetryConfig,
    /// When to stop calling a failing dependency.
    pub breaker: BreakerConfig,
    /// How many attempts may run at once.
    pub bulkhead: BulkheadConfig,
}

impl PolicyConfig {
    /// Checks the keys against each other. `section` is the name of this policy in the operator's
    /// file and starts the key that an error names.
    ///
    /// # Errors
    /// The first incoherence, with its key, value and rule.
    pub fn validate(&self, section: &str) -> Result<(), ConfigError> {
        let section = Section::new(section);
        section.span("attempt_timeout", self.attempt_timeout)?;
        section.span("deadline", self.deadline)?;
        if self.attempt_timeout > self.deadline {
            let limit = duration::text(self.deadline);
            return section.refuse(
                "attempt_timeout",
                duration::text(self.attempt_timeout),
                format!("must not be above deadline ({limit}), or no attempt ever has time to end"),
            );
        }
        self.retry.validate(&section.sub("retry"))?;
        self.breaker
            .validate(&section.sub("breaker"), self.attempt_timeout)?;
        let spare = self.deadline.saturating_sub(self.attempt_timeout);
        self.bulkhead.validate(&section.sub("bulkhead"), spare)
    }
}
