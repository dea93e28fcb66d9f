//! What `GET /policies` answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The policies in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Policies {
    /// The bounds of `/process` as a whole.
    pub process: ProcessPolicy,
    /// The tables of the policy file by dependency, every key, durations as text.
    #[schema(value_type = Object)]
    pub policies: serde_json::Map<String, Value>,
    /// What became of the policy file when it was read again.
    #[serde(default)]
    pub reloads: Reloads,
}

/// What became of the policy file when it was read again, at SIGHUP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reloads {
    /// How often it was.
    pub count: u64,
    /// Why the last time changed nothing; `null`: it is in force, or it never was read again.
    pub refused: Option<String>,
}

/// The bounds of `/process` as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProcessPolicy {
    /// Seconds within which every call is answered, whatever its dependencies do.
    pub worst_case_seconds: f64,
    /// Calls at once.
    pub max_in_flight: u32,
    /// Every other key of `[process]`, as written.
    #[serde(flatten)]
    #[schema(ignore)]
    pub others: serde_json::Map<String, Value>,
}
