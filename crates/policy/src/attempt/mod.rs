//! One attempt: the dependency is asked once.
//!
//! Each attempt works on a fresh clone of the service, and waits for its readiness *inside* the attempt.
//! So a service that never becomes ready is cut by the attempt timeout and seen by the breaker like any
//! hung call, and `poll_ready` of the whole [`Stack`](crate::Stack) takes nothing: a readied clone that is
//! never called leaks nothing.

mod operation;

pub use self::operation::{Function, Numbered, Once, Operation, Repeated};

pub(crate) use self::operation::OperationResult;

/// What an operation is told that wants to know which attempt it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt<R> {
    /// What the dependency is asked.
    pub request: R,
    /// Which attempt of its call this is, from 1; retries and hedges are counted alike.
    pub number: u32,
    /// Whether it runs beside another that takes long: elsewhere it has better luck.
    pub hedged: bool,
}
