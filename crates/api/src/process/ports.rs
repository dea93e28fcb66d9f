//! What the use case needs of its dependencies. Both answer within the deadline, whatever happens, and a failure comes
//! in the words of the contract.

use holdfast_policy::Deadline;
use holdfast_wire::Degraded;
use serde_json::Value;
use uuid::Uuid;

use super::NewRequest;

/// Where requests are recorded.
pub(crate) trait Requests {
    /// Records that a request was received.
    async fn receive(&self, request: &NewRequest, deadline: Deadline) -> Result<(), Degraded>;
    /// Records a request's result.
    async fn complete(&self, id: Uuid, worked: &Worked, deadline: Deadline)
    -> Result<(), Degraded>;
}

/// Who does the work.
pub(crate) trait Worker {
    /// Has the work done.
    async fn work(&self, deadline: Deadline) -> Result<Worked, Degraded>;
}

/// Work that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Worked {
    /// The worker's body.
    pub response: Value,
    /// Calls it took.
    pub attempts: u32,
}
