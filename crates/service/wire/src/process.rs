//! What `/process`, `/naive/process` and the worker's `/work` answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::{DegradedCode, Reason};
use crate::json_text::JsonText;

/// The worker's answer to `GET /work`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// `"done"`.
    pub status: String,
}

/// The naive endpoint's answer: exactly the course's two fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NaiveProcessed {
    /// The worker's body as received.
    #[schema(value_type = serde_json::Value)]
    pub worker_response: JsonText,
    /// Seconds from the request to the answer, to the hundredth.
    pub latency_seconds: f64,
}

/// The resilient endpoint's 200 and 202 body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Processed {
    /// UUIDv7; where to ask for the request later.
    pub request_id: Uuid,
    /// `ok`, or `degraded` when the list below is not empty.
    pub status: ProcessedStatus,
    /// The worker's body as received; null when the work is not done yet.
    #[schema(required = true, value_type = Option<serde_json::Value>)]
    pub worker_response: Option<JsonText>,
    /// Seconds from the request to the answer, to the thousandth.
    pub latency_seconds: f64,
    /// Where the result (200) or the acceptance (202) is durable.
    pub recorded_in: RecordedIn,
    /// What the answer had to do without, at most one entry per code.
    pub degraded: Vec<Degraded>,
}

/// Whether an answer had to do without something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessedStatus {
    /// All dependencies did their part.
    Ok,
    /// See `degraded`.
    Degraded,
}

/// Where a promise is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedIn {
    /// In Postgres.
    Database,
    /// In the replica's journal, from which it will reach Postgres.
    Journal,
}

/// One thing an answer had to do without, why, and when to come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Degraded {
    /// What was missing.
    pub code: DegradedCode,
    /// The last real cause.
    pub reason: Reason,
    /// The cause in words that are safe to show.
    pub detail: String,
    /// Tries that touched the dependency.
    pub attempts: u32,
    /// Seconds spent on it.
    pub elapsed_seconds: f64,
    /// Seconds after which another call makes sense.
    pub retry_after_seconds: f64,
}
