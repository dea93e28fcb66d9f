//! The bulkhead: bounds how many attempts run at once, so that one hung dependency cannot take all
//! of the process.
//!
//! Beyond `max_concurrent` attempts wait in a queue of at most `max_waiting`, first come, first
//! served, each for at most `max_wait`; beyond that they are refused at once. A place is taken in
//! `call`, never in `poll_ready`. All memory is taken at build.

mod future;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod queue;
mod service;
mod slots;

pub use self::future::BulkheadFuture;
pub use self::service::{BulkheadLayer, BulkheadService};
pub use self::slots::Slots;
