//! What `GET /events` sends: server-sent events, each with one of these as its data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::status::{Breaker, Status};

/// The data of the event `live`: sent at once, whenever something has changed, and every two seconds all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// What `GET /status` answers.
    pub status: Status,
    /// How long attempts take.
    pub latency: Latencies,
    /// What there was too much of.
    pub load: Load,
}

/// What the service did about more than it or its worker can do, since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Load {
    /// Calls refused because the worker has as much to do as it can, by urgency: from `u=0` to `u=7`.
    pub shed: [u64; 8],
    /// Calls above their client's own limit.
    pub throttled: u64,
    /// Second attempts beside slow ones.
    pub hedges: Hedges,
}

/// What became of second attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hedges {
    /// They answered first.
    pub won: u64,
    /// They did not.
    pub lost: u64,
}

/// The latencies of the dependencies by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Latencies {
    /// The worker's.
    pub worker: Latency,
    /// Postgres'.
    pub database: Latency,
}

/// How long the attempts of the last half minute took, at most the last 512 of them. Those that a caller cut short do
/// not count; those that timed out do, with the time they had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Latency {
    /// How many those are.
    pub attempts: u32,
    /// Half of them took at most this long, in seconds; null without any.
    #[schema(required = true)]
    pub p50_seconds: Option<f64>,
    /// 99 of 100 took at most this long, in seconds; null without any.
    #[schema(required = true)]
    pub p99_seconds: Option<f64>,
}

/// The data of the event `transition`: sent when a breaker changes its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
