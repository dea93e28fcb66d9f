//! Why a configuration is refused.

/// A key whose value cannot work. Its message is one line: key, value, rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value}: {rule}")]
pub struct ConfigError {
    key: String,
    value: String,
    rule: String,
}

impl ConfigError {
    /// An error about `key`, for rules that span several policies.
    pub fn new(key: impl Into<String>, value: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            rule: rule.into(),
        }
    }

    /// The full key, such as `worker.breaker.minimum_calls`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value that was given, as text.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What the value must be.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}
