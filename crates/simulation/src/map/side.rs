//! Who is put on the map.

/// A side, and how its clients ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) name: &'static str,
    /// How often a client asks at most, each time at once.
    pub(crate) tries: u32,
    /// What is laid over the default policies; `None`: it has no policies.
    pub(crate) policies: Option<&'static str>,
}

impl Side {
    /// The course's endpoint; clients ask once.
    const NAIVE: Self = Self {
        name: "naive",
        tries: 1,
        policies: None,
    };
    /// The same; clients ask three times again.
    pub(crate) const NAIVE_RETRIES: Self = Self {
        name: "naive, three retries",
        tries: 4,
        policies: None,
    };
    /// The resilient endpoint; the same clients.
    pub(crate) const RESILIENT: Self = Self::without("resilient", "");

    /// All that are on the map: those three, and the resilient one without one of its policies.
    pub(crate) const ALL: [Self; 10] = [
        Self::NAIVE,
        Self::NAIVE_RETRIES,
        Self::RESILIENT,
        // No attempt has a limit of its own.
        Self::without(
            "without attempt timeout",
            "worker.attempt_timeout = '5500ms'",
        ),
        Self::without("without retry", "worker.retry.max_attempts = 1"),
        // As many further attempts as there are failures.
        Self::without(
            "without retry budget",
            "worker.retry.budget = { ratio = 1.0, floor_per_second = 1000.0 }",
        ),
        Self::without(
            "without breaker",
            "worker.breaker.minimum_calls = 1000000\nworker.breaker.consecutive_failures = 1000000",
        ),
        // As many attempts at once as there are calls.
        Self::without("without adaptive limit", "worker.bulkhead.adaptive = false"),
        // Full speed at once after closing.
        Self::without("without ramp", "worker.breaker.ramp = '0ms'"),
        // What is not done in time is refused.
        Self::without("without deferring", "worker.on_unavailable = 'reject'"),
    ];

    const fn without(name: &'static str, policies: &'static str) -> Self {
        Self {
            name,
            tries: 4,
            policies: Some(policies),
        }
    }
}
