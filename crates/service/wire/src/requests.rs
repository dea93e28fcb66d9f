//! What `GET /requests` and `GET /requests/{id}` answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::json_text::JsonText;

/// One request as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// UUIDv7.
    pub request_id: Uuid,
    /// How far it is.
    pub status: RequestStatus,
    /// The worker's body once done.
    #[schema(required = true, value_type = Option<serde_json::Value>)]
    pub worker_response: Option<JsonText>,
    /// Calls made to the worker for it, as recorded with its end.
    pub attempts: u32,
    /// Why it failed; of one that is tried again, why it did last, where that is its own fault.
    #[schema(required = true)]
    pub error: Option<String>,
    /// When it was recorded.
    pub received_at: Timestamp,
    /// When its end was recorded.
    #[schema(required = true)]
    pub completed_at: Option<Timestamp>,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Accepted, not finished.
    Received,
    /// Finished with its result.
    Done,
    /// Finished with its error.
    Failed,
    /// Given up by an operator before it was finished.
    Cancelled,
}

impl RequestStatus {
    /// All of them, in declaration order.
    pub const ALL: [Self; 4] = [Self::Received, Self::Done, Self::Failed, Self::Cancelled];

    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Received)
    }

    /// The status as it stands in JSON, in the query string and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Which requests a list begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestOrder {
    /// Those that came last.
    #[default]
    Newest,
    /// Those that have waited for longest.
    Oldest,
}

/// A page of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestList {
    /// How many there are in all; of done ones a million at most.
    pub total: u64,
    /// The newest of them first, or the oldest if so asked, `limit` at most.
    pub requests: Vec<Request>,
}

/// What `POST /requests/retry` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Requeued {
    /// How many failed requests there are, which are owed again step by step.
    pub count: u64,
    /// How many of them a second, by all replicas together.
    pub per_second: f64,
}
