//! holdfast-policy, after its README: one `Policy`, shared by all callers, with its default
//! classifier. One attempt per call, for nobody else here retries; no ramp, for it is no part of
//! the questions; the attempt timeout out of the way, so that it is not what ends a hung call.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::{
    BreakerConfig, BulkheadConfig, Call, ErrorKind, Policy, PolicyConfig, Window,
};

use super::{Breaker, Contender, Feature, Operation, Setup, Trip, Trouble};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// More calls than any probe makes.
const NEVER: u32 = 100_000;

/// The policy crate of this workspace.
#[derive(Clone, Copy, Debug)]
pub struct Holdfast;

impl Contender for Holdfast {
    fn name(&self) -> &'static str {
        "holdfast-policy"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn StdError + Send + Sync>> {
        let policy = Policy::builder("dependency", configure(setup)).build()?;
        Ok(Arc::new(move |operation: Operation| {
            let call = policy.call(Call::new(operation), Operation::run);
            Box::pin(async move {
                call.await.map_err(|error| match error.kind() {
                    ErrorKind::CircuitOpen => Trouble::Refused,
                    ErrorKind::BulkheadFull => Trouble::Full,
                    ErrorKind::Failed(_)
                    | ErrorKind::AttemptTimeout
                    | ErrorKind::DeadlineExceeded => Trouble::Failed,
                })
            })
        }))
    }
}

fn configure(setup: &Setup) -> PolicyConfig {
    let attempt_timeout = match setup.opens_on {
        // A window shorter than an attempt is refused.
        Trip::HalfWithin { window, .. } => window.min(ATTEMPT_TIMEOUT),
        Trip::InARow(_) | Trip::HalfOf(_) => ATTEMPT_TIMEOUT,
    };
    PolicyConfig {
        attempt_timeout: Some(attempt_timeout),
        deadline: attempt_timeout * 2,
        idempotent: false,
        retry: None,
        hedge: None,
        breaker: Some(breaker(setup)),
        bulkhead: Some(BulkheadConfig {
            max_concurrent: setup.bulkhead.unwrap_or(1_000),
            ..BulkheadConfig::default()
        }),
    }
}

fn breaker(setup: &Setup) -> BreakerConfig {
    let (window, minimum_calls, consecutive_failures) = match setup.opens_on {
        Trip::InARow(failures) => (Window::Calls(NEVER), NEVER, failures),
        Trip::HalfOf(calls) => (Window::Calls(calls), calls, NEVER),
        Trip::HalfWithin { window, minimum } => (Window::Time(window), minimum, NEVER),
    };
    BreakerConfig {
        window,
        minimum_calls,
        failure_rate: 0.5,
        slow_call: setup.slow_call,
        slow_call_rate: setup.slow_call.map(|_| 0.5),
        consecutive_failures,
        open_for: setup.open_for,
        max_open_for: setup.open_for,
        half_open_calls: setup.half_open_calls,
        ramp: Duration::ZERO,
    }
}
