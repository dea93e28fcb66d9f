//! failsafe, after the README's "configure custom backoff and policy" and, for futures, the docs of
//! `failsafe::futures`.
//!
//! It has no window of calls and no limit on the calls at half-open. Its default policy joins the
//! success rate over a time window with failures in a row, so the time window here does too.

use std::error::Error as StdError;
use std::sync::Arc;

use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use failsafe::futures::CircuitBreaker;
use failsafe::{Config, Error, FailurePolicy, backoff};

use super::{Breaker, Contender, Feature, Operation, Setup, Trip, Trouble};

/// failsafe 1.3.0.
#[derive(Clone, Copy, Debug)]
pub struct Failsafe;

impl Contender for Failsafe {
    fn name(&self) -> &'static str {
        "failsafe 1.3.0"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[Feature::SlowCalls, Feature::Bulkhead]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn StdError + Send + Sync>> {
        let pause = backoff::constant(setup.open_for);
        Ok(match setup.opens_on {
            // Failures in a row come closest to a window of calls.
            Trip::InARow(failures) | Trip::HalfOf(failures) => {
                guard(consecutive_failures(failures, pause))
            }
            Trip::HalfWithin { window, minimum } => {
                let rate = success_rate_over_time_window(0.5, minimum, window, pause.clone());
                guard(rate.or_else(consecutive_failures(minimum, pause)))
            }
        })
    }
}

fn guard<P>(policy: P) -> Breaker
where
    P: FailurePolicy + Send + Sync + 'static,
{
    let breaker = Config::new().failure_policy(policy).build();
    Arc::new(move |operation: Operation| {
        let call = breaker.call(operation.run());
        Box::pin(async move {
            call.await.map_err(|error| match error {
                Error::Inner(_) => Trouble::Failed,
                Error::Rejected => Trouble::Refused,
            })
        })
    })
}
