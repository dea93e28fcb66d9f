//! The replica's wall clock: for dates that are recorded, never for what is decided.

use std::sync::Arc;

use jiff::Timestamp;

/// What time it is on this machine. Clones are the same clock.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl WallClock {
    /// This machine's.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::new(Timestamp::now)
    }

    /// One that says what `now` says.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}
