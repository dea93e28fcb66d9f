//! The circuit breaker: stops calling a dependency that fails, and finds out when it is back.
//!
//! ```text
//!            failure rate, slow rate                 open time over,
//!            or failures in a row                    a call comes
//!   CLOSED ───────────────────────────▶ OPEN ───────────────────────▶ HALF OPEN
//!     ▲                                  ▲                              │   │
//!     │                                  └──── too many bad probes ─────┘   │
//!     └──────────────── enough good probes (then the ramp) ─────────────────┘
//! ```
//!
//! Each admitted attempt holds a *ticket* stamped with the breaker's generation, which changes with
//! every transition. A ticket that comes back from an older generation says nothing about now and
//! is discarded. Dropping a ticket is an outcome too, so no hung, cancelled or panicking attempt
//! escapes the count or keeps a probe's slot.
//!
//! Just after closing, the *ramp* limits how many attempts run at once, from one up to the
//! bulkhead's limit, so that the callers who come back do not knock the dependency over again. It
//! limits concurrency and not rate: a lone caller is never refused. What it refuses is
//! [`BulkheadFull`](crate::ErrorKind::BulkheadFull), for the dependency is well and merely busy.
//!
//! Sources: M. Nygard, *Release It!*; the sliding windows, slow-call rate and half-open probes of
//! resilience4j; the generation stamp of sony/gobreaker.

mod circuit;
mod core;
mod future;
mod gate;
#[cfg(all(test, holdfast_loom))]
mod interleavings;
mod judge;
#[cfg(test)]
mod model;
mod open_time;
mod probes;
mod ramp;
mod service;
mod stopwatch;
mod tally;
mod ticket;
mod window;

pub use self::circuit::{Circuit, CircuitSettings};
pub use self::future::BreakerFuture;
pub use self::service::{BreakerLayer, BreakerService};
