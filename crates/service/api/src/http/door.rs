//! Who gets into `/process`. Each request that is worked on has a place of its own; a call under a key first only asks what is
//! known of it, or waits for the call that has it, and such calls have as many places of theirs. So a finished key is answered
//! while all places are taken, and a crowd under one key takes one.

use std::sync::Arc;

use crate::limit::{InFlightLimit, Permit};
use crate::metrics::Overload;
use crate::open_work::OpenWork;

/// What decides it.
pub(crate) struct Door {
    /// For requests that are worked on.
    pub(crate) in_flight: InFlightLimit,
    /// For calls that only ask.
    pub(crate) asking: InFlightLimit,
    pub(crate) open_work: OpenWork,
}

/// A call that is in, until this is dropped.
pub(super) struct Entry {
    door: Arc<Door>,
    asks: Option<Permit>,
    place: Option<Permit>,
    /// Why it got no place, if it was to have one.
    pub(super) refused: Option<Overload>,
}

impl Door {
    /// Lets a call in: under a key to ask, or else to a place.
    ///
    /// # Errors
    /// There is too much of this.
    pub(super) fn enter(self: &Arc<Self>, has_key: bool) -> Result<Entry, Overload> {
        let asks = if has_key { self.asking.enter() } else { None };
        let mut entry = Entry {
            door: Arc::clone(self),
            place: None,
            refused: None,
            asks,
        };
        if entry.asks.is_none() {
            entry.place = Some(self.place()?);
        }
        Ok(entry)
    }

    fn place(&self) -> Result<Permit, Overload> {
        let place = self.in_flight.enter().ok_or(Overload::InFlight)?;
        match self.open_work.is_full() {
            true => Err(Overload::OpenWork),
            false => Ok(place),
        }
    }
}

impl Entry {
    /// Whether the call has a place now; it is worked on if its request is new.
    pub(super) fn takes_place(&mut self) -> bool {
        if self.place.is_none() {
            match self.door.place() {
                Ok(place) => (self.place, self.asks) = (Some(place), None),
                Err(full) => self.refused = Some(full),
            }
        }
        self.place.is_some()
    }
}
