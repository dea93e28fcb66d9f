//! What `GET /status` answers.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::Reason;

/// The service as it sees itself and its dependencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Started and not draining.
    pub ready: bool,
    /// One entry per dependency.
    pub dependencies: Dependencies,
    /// What the journal holds; null where the policies do without one.
    #[schema(required = true)]
    pub journal: Option<Journal>,
    /// What recovery is at.
    pub recovery: Recovery,
    /// Seconds since the oldest of them was received, as last asked; null when there is none, or never asked.
    #[schema(required = true)]
    pub oldest_open_seconds: Option<f64>,
    /// Accepted requests that are not finished, as last counted in Postgres; null when never counted.
    #[schema(required = true)]
    pub open_work: Option<u64>,
}

/// The dependencies by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dependencies {
    /// The worker.
    pub worker: Worker,
    /// Postgres.
    pub database: Database,
}

/// What is known of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Worker {
    /// What the policies know of it, all endpoints together.
    #[serde(flatten)]
    pub dependency: Dependency,
    /// Each address it is called at.
    pub endpoints: Vec<Endpoint>,
}

impl Deref for Worker {
    type Target = Dependency;

    fn deref(&self) -> &Dependency {
        &self.dependency
    }
}

/// One address of the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// Such as `http://10.1.2.3:8081`.
    pub address: String,
    /// The state of its own breaker; where it is the only one, of the worker's.
    pub breaker: Breaker,
    /// It fails while others do not, and is not called.
    pub ejected: bool,
    /// Seconds that an answer takes, lately; null before the first.
    #[schema(required = true)]
    pub latency_seconds: Option<f64>,
}

/// What is known of Postgres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Database {
    /// What the policies know of it.
    #[serde(flatten)]
    pub dependency: Dependency,
    /// Whether its tables are the ones this release needs.
    pub schema: Schema,
}

/// The state of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// All that this release needs is there.
    Current,
    /// Not the schema of this release: older, newer, or part of it is missing. Calls that need what is missing do without
    /// Postgres.
    Outdated,
    /// Postgres could not be asked yet.
    Unknown,
}

impl Schema {
    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Outdated => "outdated",
            Self::Unknown => "unknown",
        }
    }
}

impl Deref for Database {
    type Target = Dependency;

    fn deref(&self) -> &Dependency {
        &self.dependency
    }
}

/// What the policies know of a dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dependency {
    /// The breaker's state.
    pub breaker: Breaker,
    /// Share of failures in the window, 0 to 1; null while the window is empty.
    #[schema(required = true)]
    pub failure_rate: Option<f64>,
    /// Share of slow calls in the window, 0 to 1; null while the window is empty.
    #[schema(required = true)]
    pub slow_call_rate: Option<f64>,
    /// Attempts under way.
    pub in_flight: u32,
    /// Attempts allowed at once.
    pub limit: u32,
    /// Retry tokens left.
    pub retry_budget: f64,
    /// Seconds until the breaker lets a probe through; null unless it is open.
    #[schema(required = true)]
    pub retry_after_seconds: Option<f64>,
    /// The cause of the last call that failed at the dependency; null when none did yet.
    #[schema(required = true)]
    pub last_error: Option<Reason>,
    /// Why the breaker is not closed: the rule it met, by which figures, and the last failure; null while it is closed,
    /// and where an operator opened it.
    #[schema(required = true)]
    pub opened_because: Option<String>,
}

/// A breaker's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Journal {
    /// Whether it can write now; if not, the next two figures are the last known.
    pub available: bool,
    /// Entries not yet in Postgres.
    pub entries: u64,
    /// What they count against `journal.max_bytes`.
    pub bytes: u64,
    /// Age of the oldest entry; null when empty.
    #[schema(required = true)]
    pub oldest_seconds: Option<f64>,
    /// Entries that Postgres does not take, tried again after pauses that grow.
    #[serde(default)]
    pub quarantined: u64,
}

/// What recovery is at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recovery {
    /// Requests whose work it is having done.
    pub in_flight: u32,
    /// How many it has done at once by now; grows to `recovery.max_concurrent`.
    pub limit: u32,
    /// Journal entries it brought to Postgres per second, over the last ten seconds.
    pub replayed_per_second: f64,
    /// Requests it finished per second, over the last ten seconds.
    pub finished_per_second: f64,
}
