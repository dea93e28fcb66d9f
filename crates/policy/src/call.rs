//! A call as it travels inwards through the layers.
//!
//! The outermost layer stamps the call with the instant at which it read the clock, and the layers
//! behind it use that stamp: one reading serves the whole way in, and all layers agree on "now".

use tokio::time::Instant;

use crate::capacity::Reserved;
use crate::due::Deadline;
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
    /// Which attempt of its call this is, from 1.
    pub(crate) number: u32,
    /// Whether it runs beside another.
    pub(crate) hedged: bool,
    at: Option<Instant>,
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
            number: 1,
            hedged: false,
            at: None,
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

    /// Its attempts run in this slot, which [`Policy::reserve`](crate::Policy::reserve) took ahead.
    pub fn in_slot(self, slot: Option<Reserved>) -> Self {
        Self { slot, ..self }
    }

    pub(crate) fn map<T>(self, change: impl FnOnce(R) -> T) -> Call<T> {
        Call {
            request: change(self.request),
            deadline: self.deadline,
            idempotent: self.idempotent,
            priority: self.priority,
            slot: self.slot,
            number: self.number,
            hedged: self.hedged,
            at: self.at,
        }
    }

    /// The second attempt beside this one, started at `now`. It is one more at the dependency, so it needs a slot of its own.
    pub(crate) fn hedge(self, now: Instant) -> Self {
        Self {
            slot: None,
            number: self.number + 1,
            hedged: true,
            at: Some(now),
            ..self
        }
    }

    /// The instant at which this call came through the layers, read from the clock if no layer
    /// further out has done so.
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        self.at.unwrap_or_else(Instant::now)
    }

    /// The same, if a layer further out has read the clock.
    #[inline]
    pub(crate) fn stamped(&self) -> Option<Instant> {
        self.at
    }

    #[inline]
    pub(crate) fn stamp(self, now: Instant) -> Self {
        Self {
            at: Some(now),
            ..self
        }
    }
}
