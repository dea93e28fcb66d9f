//! Who is admitted to `/process`. Each request that is worked on has a permit of its own. A call under a key first only asks
//! what is known of the key, or waits for the call that has it, and there are other permits for such calls, eight times as many: so
//! a finished key is answered while no permit is left for work, and a crowd under one key takes one of those.

use std::sync::Arc;

use crate::limit::{InFlightLimit, Permit};
use crate::open_work::OpenWork;
use crate::process::{self, Overload};

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
}

impl Admission {
    /// Lets a call in: under a key to ask, or else to a permit.
    ///
    /// # Errors
    /// There is too much of this.
    pub(super) fn enter(self: &Arc<Self>, has_key: bool) -> Result<Admitted, Overload> {
        let (asks, permit) = if has_key {
            (Some(self.asking.enter().ok_or(Overload::InFlight)?), None)
        } else {
            (None, Some(self.permit()?))
        };
        Ok(Admitted {
            admission: Arc::clone(self),
            asks,
            permit,
        })
    }

    fn permit(&self) -> Result<Permit, Overload> {
        let permit = self.in_flight.enter().ok_or(Overload::InFlight)?;
        match self.open_work.is_full() {
            true => Err(Overload::OpenWork),
            false => Ok(permit),
        }
    }
}

impl process::Admission for Admitted {
    /// Gives the call a permit, unless it has one.
    fn to_work(&mut self) -> Result<(), Overload> {
        if self.permit.is_none() {
            self.permit = Some(self.admission.permit()?);
            self.asks = None;
        }
        Ok(())
    }

    /// Trades the permit back. Where as many ask as may, it is kept.
    fn to_ask(&mut self) {
        if self.permit.is_some() {
            self.asks = self.admission.asking.enter();
            if self.asks.is_some() {
                self.permit = None;
            }
        }
    }
}
