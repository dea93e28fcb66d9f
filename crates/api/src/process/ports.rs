//! What the use case needs of its dependencies. All answer within the deadline, whatever happens, and a failure comes in
//! the words of the contract.

use holdfast_policy::Deadline;
use holdfast_wire::Degraded;
use serde_json::Value;
use uuid::Uuid;

use super::NewRequest;
use super::known::{Known, Receipt};

/// Where requests are recorded.
pub(crate) trait Requests {
    /// Records that a request was received and is being worked on, unless its key stands for another one.
    async fn receive(&self, request: &NewRequest, deadline: Deadline) -> Result<Receipt, Degraded>;
    /// Records a request's result.
    async fn complete(&self, id: Uuid, worked: &Worked, deadline: Deadline)
    -> Result<(), Degraded>;
    /// Gives a request up to whoever does the work later, at once.
    async fn release(&self, id: Uuid, deadline: Deadline) -> Result<(), Degraded>;
    /// How far a request is, if it is recorded.
    async fn look(&self, id: Uuid, deadline: Deadline) -> Result<Option<Known>, Degraded>;
    /// What is known of its absence, without asking it.
    fn absence(&self) -> Degraded;
}

/// Who does the work.
pub(crate) trait Worker {
    /// Has the work done; by `deadline`, if somebody waits for it.
    async fn work(&self, deadline: Option<Deadline>) -> Result<Worked, Degraded>;
    /// What is known of its absence, without asking it.
    fn absence(&self) -> Degraded;
}

/// Work that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Worked {
    /// The worker's body.
    pub response: Value,
    /// Calls it took.
    pub attempts: u32,
}
