//! The clocks of the world: one virtual time, and wall clocks that jump.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use holdfast_api::embedded::WallClock;
use jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::Instant;

/// Microseconds since 1970 on some clock: what `timestamptz` can tell apart.
pub type Micros = i64;

/// When each world begins: 2026-01-01.
const BEGINNING: Micros = 1_767_225_600_000_000;

/// What comes of `scene`, on this thread and in a time of its own: where all wait, it jumps.
///
/// # Errors
/// When the machine has no runtime for it.
pub(crate) fn in_virtual_time<T>(scene: impl Future<Output = T>) -> io::Result<T> {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    Ok(LocalSet::new().block_on(&runtime, scene))
}

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
    pub(crate) fn now(&self) -> Micros {
        let passed = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX / 2);
        BEGINNING + passed + self.skew.load(Ordering::Relaxed)
    }

    /// Sets it by `by` beside what is right.
    pub(crate) fn skew(&self, by: Micros) {
        self.skew.store(by, Ordering::Relaxed);
    }

    /// As the service reads it.
    pub(crate) fn as_wall_clock(&self) -> WallClock {
        let clock = self.clone();
        WallClock::new(move || Timestamp::from_microsecond(clock.now()).unwrap_or_default())
    }
}
