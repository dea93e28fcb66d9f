//! tower-resilience's circuit breaker, after its crate docs: "Failure Models", "Time-Based Sliding
//! Window" and "Slow Call Detection". Where there is a bulkhead, it stands inside the breaker, as in
//! `composition::ordering` and in the stack "Database Connections, With Circuit Breaker"; as there,
//! the breaker keeps its default classifier, to which every error is a failure.

use std::error::Error as StdError;
use std::sync::Arc;

use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::bulkhead::{BulkheadLayer, BulkheadServiceError};
use tower_resilience::circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerError, CircuitBreakerLayer, SlidingWindowType,
};

use super::{Breaker, Contender, Feature, Operation, Setup, Trip, Trouble};

/// tower-resilience 0.13.0.
#[derive(Clone, Copy, Debug)]
pub struct TowerResilience;

impl Contender for TowerResilience {
    fn name(&self) -> &'static str {
        "tower-resilience 0.13.0"
    }

    fn lacks(&self) -> &'static [Feature] {
        &[]
    }

    fn breaker(&self, setup: &Setup) -> Result<Breaker, Box<dyn StdError + Send + Sync>> {
        let breaker = configure(setup).build()?;
        let dependency = service_fn(Operation::run);
        let Some(places) = setup.bulkhead else {
            return Ok(guard(breaker.layer(dependency), |_| Trouble::Failed));
        };
        let bulkhead = BulkheadLayer::builder()
            .max_concurrent_calls(places as usize)
            .reject_when_full()
            .build()?;
        let stack = breaker.layer(bulkhead.layer(dependency));
        Ok(guard(stack, |error| match error {
            BulkheadServiceError::Bulkhead(_) => Trouble::Full,
            BulkheadServiceError::Inner(_) => Trouble::Failed,
        }))
    }
}

fn configure(setup: &Setup) -> CircuitBreakerConfigBuilder {
    let builder = CircuitBreakerLayer::builder()
        .wait_duration_in_open(setup.open_for)
        .permitted_calls_in_half_open(setup.half_open_calls as usize);
    let builder = match setup.opens_on {
        Trip::InARow(failures) => builder.consecutive_failures(failures as usize),
        Trip::HalfOf(calls) => builder
            .failure_rate_threshold(0.5)
            .sliding_window_size(calls as usize),
        Trip::HalfWithin { window, minimum } => builder
            .failure_rate_threshold(0.5)
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(window)
            .minimum_number_of_calls(minimum as usize),
    };
    match setup.slow_call {
        Some(slow) => builder
            .slow_call_duration_threshold(slow)
            .slow_call_rate_threshold(0.5),
        None => builder,
    }
}

/// Each caller waits until a clone of the service is ready and calls it, as tower asks for.
fn guard<S, E>(service: S, judge: fn(E) -> Trouble) -> Breaker
where
    S: Service<Operation, Response = (), Error = CircuitBreakerError<E>>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    E: 'static,
{
    Arc::new(move |operation: Operation| {
        let call = service.clone().oneshot(operation);
        Box::pin(async move {
            call.await.map_err(|error| match error {
                CircuitBreakerError::OpenCircuit => Trouble::Refused,
                CircuitBreakerError::Inner(error) => judge(error),
            })
        })
    })
}
