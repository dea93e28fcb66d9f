//! recloser, after its README: `Recloser::custom()` inside an `AsyncRecloser`.
//!
//! It counts over a ring of calls and does not judge before the ring is full; the next failure is
//! the one that opens it. `half_open_len` is how many calls it sees at half-open before it judges,
//! not how many it lets pass.

use std::error::Error as StdError;
use std::sync::Arc;

use recloser::{AsyncRecloser, Error};

use super::{Breaker, Contender, Feature, Operation, Setup, Trip, Trouble};

/// recloser 1.4.0.
#[derive(Clone, Copy, Debug)]
pub struct Recloser;

impl Contender for Recloser {
    fn name(&self) -> &'static str {
        "recloser 1.4.0"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[Feature::SlowCalls, Feature::TimeWindow, Feature::Bulkhead]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn StdError + Send + Sync>> {
        let (ring, rate) = match setup.opens_on {
            // A ring full of failures comes closest to failures in a row.
            Trip::InARow(failures) => (failures, 1.0),
            Trip::HalfOf(calls) => (calls, 0.5),
            Trip::HalfWithin { .. } => return Err("recloser has no time window".into()),
        };
        let recloser = recloser::Recloser::custom()
            .error_rate_closed(rate)
            .error_rate_half_open(0.5)
            .closed_len(ring as usize)
            .half_open_len(setup.half_open_calls as usize)
            .open_wait(setup.open_for)
            .build();
        let recloser = AsyncRecloser::from(recloser);
        Ok(Arc::new(move |operation: Operation| {
            let call = recloser.call(operation.run());
            Box::pin(async move {
                call.await.map_err(|error| match error {
                    Error::Inner(_) => Trouble::Failed,
                    Error::Rejected => Trouble::Refused,
                })
            })
        }))
    }
}
