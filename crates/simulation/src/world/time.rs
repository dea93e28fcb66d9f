//! The clocks of the world: one virtual time, and wall clocks that jump.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use holdfast_api::embedded::WallClock;
use jiff::Timestamp;
use tokio::time::Instant;

/// Microseconds since 1970 on some clock: what `timestamptz` can tell apart.
pub type Micros = i64;

/// When each world begins: 2026-01-01.
const BEGINNING: Micros = 1_767_225_600_000_000;

/// A wall clock. Clones are the same.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    skew: Arc<AtomicI64>,
}

impl Clock {
    /// One that is right.
    #[must_use]
    pub fn new(start: Instant) -> Self {
        Self {
            start,
            skew: Arc::default(),
        }
    }

    /// What it says.
    #[must_use]
    pub fn now(&self) -> Micros {
        let passed = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX / 2);
        BEGINNING + passed + self.skew.load(Ordering::Relaxed)
    }

    /// Sets it by `by` beside what is right.
    pub fn skew(&self, by: Micros) {
        self.skew.store(by, Ordering::Relaxed);
    }

    /// As the service reads it.
    #[must_use]
    pub fn as_wall_clock(&self) -> WallClock {
        let clock = self.clone();
        WallClock::new(move || Timestamp::from_microsecond(clock.now()).unwrap_or_default())
    }
}
