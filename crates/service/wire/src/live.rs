//! What `GET /events` sends: server-sent events, each with one of these as its data.

use serde::{Deserialize, Serialize};

use crate::status::{Breaker, Status};

/// The data of the event `live`: sent at once, whenever something has changed, and every two seconds all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// What `GET /status` answers.
    pub status: Status,
    /// How long attempts take.
    pub latency: Latencies,
}

/// The latencies of the dependencies by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// The worker's.
    pub worker: Latency,
    /// Postgres'.
    pub database: Latency,
}

/// How long the attempts of the last half minute took, at most the last 512 of them. Those that a caller cut short do
/// not count; those that timed out do, with the time they had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many those are.
    pub attempts: u32,
    /// Half of them took at most this long, in seconds; null without any.
    pub p50_seconds: Option<f64>,
    /// 99 of 100 took at most this long, in seconds; null without any.
    pub p99_seconds: Option<f64>,
}

/// The data of the event `transition`: sent when a breaker changes its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// `worker` or `database`.
    pub dependency: String,
    /// The state it left.
    pub from: Breaker,
    /// The state it is in since.
    pub to: Breaker,
    /// Of two transitions of a dependency, the greater number is the later one.
    pub generation: u64,
}
