//! seatbelt's circuit breaker, after its module docs. A breaker of its own for each subject; half open by
//! the mode with one probe, which is as many as most probes ask for; abandoned executions by its default.
//!
//! It measures over a span of time and takes no count of calls, so a window of so many calls becomes its
//! default span with that many as the least throughput.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use seatbelt::breaker::{Breaker as Layer, HalfOpenMode};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tower::{Layer as _, ServiceExt, service_fn};

use super::{Breaker, Contender, Feature, Operation, Setup, Trip, Trouble};

/// seatbelt 0.11.0.
#[derive(Clone, Copy, Debug)]
pub struct Seatbelt;

impl Contender for Seatbelt {
    fn name(&self) -> &'static str {
        "seatbelt 0.11.0"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[Feature::SlowCalls, Feature::Bulkhead]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn StdError + Send + Sync>> {
        // Its longest span is no shorter than what any probe takes.
        let default = Duration::from_secs(30);
        let (rate, calls, window) = match setup.opens_on {
            // A window full of failures comes closest to failures in a row.
            Trip::InARow(failures) => (0.99, failures, default),
            Trip::HalfOf(calls) => (0.5, calls, default),
            Trip::HalfWithin { window, minimum } => (0.5, minimum, window),
        };
        let context = ResilienceContext::new(Clock::new_tokio());
        let layer = Layer::layer("breaker", &context)
            .recovery_with(|outcome: &Result<(), Trouble>, _| match outcome {
                Ok(()) => RecoveryInfo::never(),
                Err(_) => RecoveryInfo::retry(),
            })
            .rejected_input_error(|_: Operation, _| Trouble::Refused)
            .failure_threshold(rate)
            .min_throughput(calls)
            .sampling_duration(window)
            .break_duration(setup.open_for)
            .half_open_mode(HalfOpenMode::quick());
        let dependency = service_fn(async |operation: Operation| {
            operation.run().await.map_err(|_| Trouble::Failed)
        });
        let service = layer.layer(dependency);
        Ok(Arc::new(move |operation: Operation| {
            Box::pin(service.clone().oneshot(operation))
        }))
    }
}
