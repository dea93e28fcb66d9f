//! A request, and what its caller says about it.

use crate::capacity::Reserved;
use crate::deadline::Deadline;
use crate::priority::Priority;

/// A request together with what the policies need to know about it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Call<R> {
    /// What the dependency is asked; cloned once per attempt.
    pub request: R,
    /// The latest instant at which the caller still wants an answer. `None`: the policy's own.
    pub deadline: Option<Deadline>,
    /// Whether repeating the request is harmless. `None`: the policy's own setting.
    pub idempotent: Option<bool>,
    /// How urgent it is: decides who is shed while there is too much.
    pub priority: Priority,
    /// A slot that was taken ahead.
    pub(crate) slot: Option<Reserved>,
}

impl<R> Call<R> {
    /// A call with the policy's own deadline and idempotency.
    pub fn new(request: R) -> Self {
        Self {
            request,
            deadline: None,
            idempotent: None,
            priority: Priority::USUAL,
            slot: None,
        }
    }

    /// The answer must be there by `deadline`, or earlier if the policy's own deadline is.
    #[inline]
    pub fn by(self, deadline: Deadline) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// Says whether repeating this request is harmless.
    pub fn idempotent(self, yes: bool) -> Self {
        Self {
            idempotent: Some(yes),
            ..self
        }
    }

    /// Says how urgent it is.
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// Its attempts run in this slot, which [`Policy::reserve`](crate::Policy::reserve) of the same policy took ahead. One of
    /// another policy is held as long, and the attempts claim slots of their own.
    pub fn in_slot(self, slot: Option<Reserved>) -> Self {
        Self { slot, ..self }
    }
}
