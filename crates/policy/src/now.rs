//! The present, read from the clock only if somebody asks, and then but once.
//!
//! Reading the clock costs about as much as all else that a closed breaker does, and what counts
//! calls need not know the time.

use std::cell::Cell;

use tokio::time::Instant;

/// An instant, known or to be read on demand. All who ask the same value get the same answer.
#[derive(Debug)]
pub(crate) struct Now(Cell<Option<Instant>>);

impl Now {
    /// The instant of the first question.
    #[inline]
    pub(crate) fn on_demand() -> Self {
        Self(Cell::new(None))
    }

    /// The instant itself.
    #[inline]
    pub(crate) fn instant(&self) -> Instant {
        self.0.get().unwrap_or_else(|| {
            let now = Instant::now();
            self.0.set(Some(now));
            now
        })
    }
}

impl From<Instant> for Now {
    #[inline]
    fn from(instant: Instant) -> Self {
        Self(Cell::new(Some(instant)))
    }
}
