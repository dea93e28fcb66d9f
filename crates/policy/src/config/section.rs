//! A section of the operator's file, and the rules that recur in all of them.

use std::fmt::Display;
use std::time::Duration;

use super::duration::text;
use super::error::ConfigError;

/// Timers tick in whole milliseconds: less cannot be told from nothing.
const MIN_DURATION: Duration = Duration::from_millis(1);
/// Longer than a day no caller waits, and sums of such spans stay far from overflow.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Knows its own path, so that a rule need only name its key.
pub(super) struct Section {
    path: String,
}

impl Section {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn sub(&self, name: &str) -> Self {
        Self {
            path: format!("{}.{name}", self.path),
        }
    }

    pub(super) fn refuse(
        &self,
        key: &str,
        value: impl Display,
        rule: impl Into<String>,
    ) -> Result<(), ConfigError> {
        Err(ConfigError::new(
            format!("{}.{key}", self.path),
            value.to_string(),
            rule,
        ))
    }

    /// A span that may not be zero.
    pub(super) fn span(&self, key: &str, value: Duration) -> Result<(), ConfigError> {
        if value < MIN_DURATION {
            return self.refuse(key, text(value), "must be at least 1ms");
        }
        self.wait(key, value)
    }

    /// A span that may be zero.
    pub(super) fn wait(&self, key: &str, value: Duration) -> Result<(), ConfigError> {
        if value > MAX_DURATION {
            return self.refuse(key, text(value), "must be at most 24h");
        }
        Ok(())
    }

    pub(super) fn count(&self, key: &str, value: u32, max: u32) -> Result<(), ConfigError> {
        if value == 0 {
            return self.refuse(key, value, "must be at least 1");
        }
        self.at_most(key, value, max)
    }

    pub(super) fn at_most(&self, key: &str, value: u32, max: u32) -> Result<(), ConfigError> {
        if value > max {
            return self.refuse(key, value, format!("must be at most {max}"));
        }
        Ok(())
    }

    /// A share of calls that trips something: more than none, at most all.
    pub(super) fn rate(&self, key: &str, value: f64) -> Result<(), ConfigError> {
        if value > 0.0 && value <= 1.0 {
            return Ok(());
        }
        self.refuse(key, value, "must be above 0 and at most 1")
    }

    /// A finite number within `min..=max`.
    pub(super) fn number(
        &self,
        key: &str,
        value: f64,
        min: f64,
        max: f64,
    ) -> Result<(), ConfigError> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        self.refuse(key, value, format!("must be a number from {min} to {max}"))
    }
}
