//! What `GET /status` answers.

use serde::{Deserialize, Serialize};

use crate::codes::Reason;

/// The service as it sees itself and its dependencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Started and not draining.
    pub ready: bool,
    /// One entry per dependency.
    pub dependencies: Dependencies,
    /// What the journal holds; null where none is built in.
    pub journal: Option<Journal>,
    /// Accepted requests that are not finished, as last counted in Postgres; null when never counted.
    pub open_work: Option<u64>,
}

/// The dependencies by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependencies {
    /// The worker.
    pub worker: Dependency,
    /// Postgres.
    pub database: Dependency,
}

/// What the policies know of a dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// The breaker's state.
    pub breaker: Breaker,
    /// Share of failures in the window, 0 to 1; null while the window is empty.
    pub failure_rate: Option<f64>,
    /// Share of slow calls in the window, 0 to 1; null while the window is empty.
    pub slow_call_rate: Option<f64>,
    /// Attempts under way.
    pub in_flight: u32,
    /// Attempts allowed at once.
    pub limit: u32,
    /// Retry tokens left.
    pub retry_budget: f64,
    /// Seconds until the breaker lets a probe through; null unless it is open.
    pub retry_after_seconds: Option<f64>,
    /// The cause of the last call that failed at the dependency; null when none did yet.
    pub last_error: Option<Reason>,
}

/// A breaker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// A few probes pass.
    HalfOpen,
}

/// What the journal holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Entries not yet in Postgres.
    pub entries: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// Age of the oldest entry; null when empty.
    pub oldest_seconds: Option<f64>,
}
