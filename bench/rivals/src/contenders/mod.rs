//! The crates under test, each behind one trait, so that every probe is written once.

mod failsafe;
mod holdfast;
mod operation;
mod recloser;
mod seatbelt;
mod tower_resilience;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::failsafe::Failsafe;
pub use self::holdfast::Holdfast;
pub use self::operation::{Broken, Does, Gate, Operation};
pub use self::recloser::Recloser;
pub use self::seatbelt::Seatbelt;
pub use self::tower_resilience::TowerResilience;

/// Who is asked, in the order of the table's columns; ours comes last.
pub static CONTENDERS: [&dyn Contender; 5] =
    [&Failsafe, &Recloser, &TowerResilience, &Seatbelt, &Holdfast];

/// A crate that has a circuit breaker.
pub trait Contender: Sync {
    /// Its name and version.
    fn name(&self) -> &'static str;

    /// What it does not have at all.
    fn lacks(&self) -> &'static [Feature];

    /// A new breaker in front of the dependency, configured as closely to `setup` as the crate can.
    ///
    /// # Errors
    /// If the crate refuses the configuration.
    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn Error + Send + Sync>>;
}

/// Sends an operation through one breaker. Clones share that breaker.
pub type Breaker = Arc<dyn Fn(Operation) -> BoxFuture<'static, Answer> + Send + Sync>;

/// What a caller gets.
pub type Answer = Result<(), Trouble>;

/// Why a caller got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The dependency was reached and failed.
    Failed,
    /// The breaker refused.
    Refused,
    /// The bulkhead refused.
    Full,
}

/// What some crates have and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Takes notice of how long a success took.
    SlowCalls,
    /// Counts over a span of time.
    TimeWindow,
    /// Limits the calls in flight.
    Bulkhead,
}

/// How a breaker shall behave, in words that fit every crate. What a crate cannot be told it is not
/// told.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// What opens it.
    pub opens_on: Trip,
    /// How long it stays open; no jitter, no doubling.
    pub open_for: Duration,
    /// How many calls may pass at half-open, and how many of them decide.
    pub half_open_calls: u32,
    /// How long a call takes that is slow. Slow calls open it like failures, at half of the window.
    pub slow_call: Option<Duration>,
    /// How many calls may be in flight.
    pub bulkhead: Option<u32>,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug)]
pub enum Trip {
    /// So many failures in a row.
    InARow(u32),
    /// Failures that are half of the last so many calls.
    HalfOf(u32),
    /// Failures that are half of the calls within a time.
    HalfWithin {
        /// The time.
        window: Duration,
        /// With fewer calls in it nothing opens.
        minimum: u32,
    },
}
