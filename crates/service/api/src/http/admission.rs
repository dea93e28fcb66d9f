//! Who is admitted to `/process`. Each request that is worked on has a permit of its own. A call under a key first only asks
//! what is known of the key, or waits for the call that has it, and there are as many permits for such calls: so a finished key
//! is answered while all others are taken, and a crowd under one key takes one.

use std::sync::Arc;

use crate::limit::{InFlightLimit, Permit};
use crate::metrics::Overload;
use crate::open_work::OpenWork;

/// What decides it.
pub(crate) struct Admission {
    /// For requests that are worked on.
    pub(crate) in_flight: InFlightLimit,
    /// For calls that only ask.
    pub(crate) asking: InFlightLimit,
    pub(crate) open_work: OpenWork,
}

/// A call that is in, until this is dropped.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    asks: Option<Permit>,
    permit: Option<Permit>,
    /// Why it got no permit, if it was to have one.
    pub(super) refused: Option<Overload>,
}

impl Admission {
    /// Lets a call in: under a key to ask, or else to a permit.
    ///
    /// # Errors
    /// There is too much of this.
    pub(super) fn enter(self: &Arc<Self>, has_key: bool) -> Result<Admitted, Overload> {
        let asks = if has_key { self.asking.enter() } else { None };
        let mut admitted = Admitted {
            admission: Arc::clone(self),
            permit: None,
            refused: None,
            asks,
        };
        if admitted.asks.is_none() {
            admitted.permit = Some(self.permit()?);
        }
        Ok(admitted)
    }

    fn permit(&self) -> Result<Permit, Overload> {
        let permit = self.in_flight.enter().ok_or(Overload::InFlight)?;
        match self.open_work.is_full() {
            true => Err(Overload::OpenWork),
            false => Ok(permit),
        }
    }
}

impl Admitted {
    /// Whether the call has a permit now; it is worked on if its request is new.
    pub(super) fn takes_permit(&mut self) -> bool {
        if self.permit.is_none() {
            match self.admission.permit() {
                Ok(permit) => (self.permit, self.asks) = (Some(permit), None),
                Err(full) => self.refused = Some(full),
            }
        }
        self.permit.is_some()
    }
}
