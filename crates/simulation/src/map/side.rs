//! Who is put on the map.

/// A side, and how its clients ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The course's endpoint; clients ask once.
    Naive,
    /// The same; clients ask three times again, at once.
    NaiveRetries,
    /// The resilient endpoint; the same clients.
    Resilient,
    /// That without one of its policies.
    Without(Policy),
}

/// A policy that can be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// No attempt has a limit of its own.
    AttemptTimeout,
    /// One attempt.
    Retry,
    /// As many further attempts as there are failures.
    RetryBudget,
    /// Every attempt is made.
    Breaker,
    /// As many attempts at once as there are calls.
    Limit,
    /// Full speed at once after closing.
    Ramp,
    /// What is not done in time is refused.
    Defer,
}

impl Side {
    /// All that are on the map.
    pub const ALL: [Self; 10] = [
        Self::Naive,
        Self::NaiveRetries,
        Self::Resilient,
        Self::Without(Policy::AttemptTimeout),
        Self::Without(Policy::Retry),
        Self::Without(Policy::RetryBudget),
        Self::Without(Policy::Breaker),
        Self::Without(Policy::Limit),
        Self::Without(Policy::Ramp),
        Self::Without(Policy::Defer),
    ];

    /// As the map calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::NaiveRetries => "naive, three retries",
            Self::Resilient => "resilient",
            Self::Without(Policy::AttemptTimeout) => "without attempt timeout",
            Self::Without(Policy::Retry) => "without retry",
            Self::Without(Policy::RetryBudget) => "without retry budget",
            Self::Without(Policy::Breaker) => "without breaker",
            Self::Without(Policy::Limit) => "without adaptive limit",
            Self::Without(Policy::Ramp) => "without ramp",
            Self::Without(Policy::Defer) => "without deferring",
        }
    }

    /// How often a client asks, at most.
    #[must_use]
    pub fn tries(self) -> u32 {
        match self {
            Self::Naive => 1,
            _ => 4,
        }
    }

    /// The policies that are laid over the defaults; `None`: it has no policies.
    #[must_use]
    pub fn policies(self) -> Option<&'static str> {
        let policy = match self {
            Self::Naive | Self::NaiveRetries => return None,
            Self::Resilient => return Some(""),
            Self::Without(policy) => policy,
        };
        Some(match policy {
            Policy::AttemptTimeout => "worker.attempt_timeout = '5500ms'",
            Policy::Retry => "worker.retry.max_attempts = 1",
            Policy::RetryBudget => {
                "worker.retry.budget = { ratio = 1.0, floor_per_second = 1000.0 }"
            }
            Policy::Breaker => {
                "worker.breaker.minimum_calls = 1000000\nworker.breaker.consecutive_failures = 1000000"
            }
            Policy::Limit => "worker.bulkhead.adaptive = false",
            Policy::Ramp => "worker.breaker.ramp = '0ms'",
            Policy::Defer => "worker.on_unavailable = 'reject'",
        })
    }
}
