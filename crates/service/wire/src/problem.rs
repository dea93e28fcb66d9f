//! RFC 9457 problem bodies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::ProblemCode;
use crate::process::Degraded;

/// A 4xx or 5xx body, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:holdfast:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Constant for the code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and the cure.
    pub detail: String,
    /// The code clients branch on.
    pub code: ProblemCode,
    /// The id under which the logs tell this request's story.
    pub request_id: Uuid,
    /// On 503: what was missing, as in a degraded answer. Absent on other statuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Vec<Degraded>>,
}

impl Problem {
    /// The `type` member of a code.
    #[must_use]
    pub fn kind_of(code: ProblemCode) -> String {
        format!("urn:holdfast:problem:{code}")
    }
}
