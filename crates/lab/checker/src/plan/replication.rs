//! How Postgres' standbys follow its primary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a commit waits for a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replication {
    /// For one of two, as long as there is one.
    Synchronous,
    /// For none.
    Asynchronous,
}
