//! What `/livez` and `/readyz` answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A probe's body; the status code carries the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `"alive"`, `"ready"` or `"draining"`.
    pub status: String,
}

impl Health {
    /// A body that says `status`.
    #[must_use]
    pub fn new(status: &str) -> Self {
        Self {
            status: status.to_owned(),
        }
    }
}
