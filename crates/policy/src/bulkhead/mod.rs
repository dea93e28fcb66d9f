//! The bulkhead: bounds how many attempts run at once, so that one hung dependency cannot take all of
//! the process.
//!
//! # Semantics
//!
//! Up to `max_concurrent` attempts hold a place. Beyond that up to `max_waiting` wait in a queue, first
//! come, first served, each for at most `max_wait` and never so long that less than an attempt timeout
//! would remain of the deadline. Beyond that they are refused at once. A freed place is handed to the
//! first in the queue, so a newcomer never overtakes one who waits.
//!
//! A place is taken in `call`, never in `poll_ready`: a clone of the service that was readied and never
//! called holds nothing. It is given back when the attempt's future ends or is dropped, whatever the
//! reason. A refusal is [`BulkheadFull`](crate::ErrorKind::BulkheadFull); it is no failure of the
//! dependency and does not move the breaker. All memory is taken at build.
//!
//! # Defaults, and why
//!
//! `max_concurrent`: what the dependency is known to bear, or requests per second times the seconds each
//! takes (Little's law), and some room. `max_waiting = 0` with `max_wait = "0ms"`: a queue in front of a
//! slow dependency adds its length to every answer; have one only to smooth short bursts.
//!
//! Source: M. Nygard, *Release It!*; the hand-over in order is that of a fair semaphore.

mod future;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod places;
mod queue;
mod service;
mod slots;

pub use self::future::BulkheadFuture;
pub use self::service::{BulkheadLayer, BulkheadService};
pub use self::slots::Slots;
