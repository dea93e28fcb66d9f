//! What the use case needs of its dependencies. All answer within the deadline, whatever happens, and a failure comes in
//! the words of the contract.

use holdfast_policy::{Deadline, Priority};
use holdfast_wire::Degraded;
use uuid::Uuid;

use super::NewRequest;
use super::existing::{Completion, ExistingRequest, InsertOutcome};
use super::outcome::Overload;
use crate::journal::Entry;
pub use crate::journal::WorkResult;

/// Where requests are recorded. Clones record in the same place.
pub(crate) trait Requests: Clone {
    /// Records that a request was received and whose it is, unless its key stands for another one.
    async fn insert(
        &self,
        request: &NewRequest,
        owner: Owner,
        deadline: Deadline,
    ) -> Result<InsertOutcome, Degraded>;
    /// Records a request's result; where the request is gone, all of it.
    async fn complete(
        &self,
        request: &NewRequest,
        result: &WorkResult,
        deadline: Deadline,
    ) -> Result<Completion, Degraded>;
    /// Records a request as it was `told`, whatever became of it meanwhile, as a journal's entry is brought over: where it has
    /// another result, the earlier of the two stands and the other is kept beside it.
    async fn put_back(&self, told: &Entry, deadline: Deadline) -> Result<(), Degraded>;
    /// Leaves a request to recovery, at once; where it is gone, it is recorded anew.
    async fn release(&self, request: &NewRequest, deadline: Deadline) -> Result<(), Degraded>;
    /// The same, for a caller that is gone: nobody waits for it.
    fn abandon(&self, id: Uuid);
    /// How far a request is, if it is recorded.
    async fn state_of(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<ExistingRequest>, Degraded>;
    /// What `key` stands for, if anything; `body` is what came with it.
    async fn existing_under(
        &self,
        key: &str,
        body: Option<&str>,
        deadline: Deadline,
    ) -> Result<Option<ExistingRequest>, Degraded>;
    /// What an answer has to say of its absence, without asking it.
    fn unavailability(&self) -> Degraded;
}

/// Whose a request is once it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The caller's, who has the work done at once.
    Caller,
    /// Recovery's.
    Recovery,
}

/// Who does the work.
pub(crate) trait Worker {
    /// Room for one more request with the worker, until dropped.
    type Permit;
    /// Room for a request, before anything of it is recorded; or why there is none.
    async fn admit(&self, priority: Priority) -> Result<Self::Permit, Degraded>;
    /// Has the work of the request `id` done; by `deadline` and under a permit that was kept for it, if somebody waits for it.
    /// Nothing is less urgent than what nobody waits for.
    async fn work(
        &self,
        id: Uuid,
        waiting: Option<(Deadline, Self::Permit)>,
    ) -> Result<WorkResult, Degraded>;
    /// Whether a call makes sense now: not while its breaker refuses it anyway.
    fn may_call(&self) -> bool;
    /// What an answer has to say of its absence, without asking it.
    fn unavailability(&self) -> Degraded;
}

/// What a call may do, as far as there is room for it.
pub(crate) trait Admission {
    /// It is worked on if its request is new; or there is too much of this.
    fn to_work(&mut self) -> Result<(), Overload>;
    /// It is not: from now on it only asks what becomes of a request that is known.
    fn to_ask(&mut self);
}
