//! Guarded by tower-resilience, in the order that its composition guide recommends: total timeout, retry, breaker, bulkhead,
//! timeout per call; with the times that the experiments are played with.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use holdfast_contenders::{Dependencies, Guarded, Statement, Trouble, serve};
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_resilience::circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience::retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience::timelimiter::TimeLimiterLayer;

type Stack<R, T> = BoxCloneSyncService<R, T, String>;

#[derive(Clone)]
struct Api {
    database: Stack<Statement, ()>,
    worker: Stack<(), Value>,
}

impl Guarded for Api {
    async fn record(&self, statement: Statement) -> Result<(), String> {
        self.database.clone().oneshot(statement).await
    }

    async fn work(&self) -> Result<Value, String> {
        self.worker.clone().oneshot(()).await
    }
}

fn guarded<R, T, S>(dependency: S, attempt_timeout: u64) -> Result<Stack<R, T>, Box<dyn Error>>
where
    S: Service<R, Response = T, Error = Trouble> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    R: Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    let ms = Duration::from_millis;
    let within = |time| TimeLimiterLayer::builder().timeout_duration(time).build();
    let budget = RetryBudgetBuilder::new().token_bucket().build()?;
    let retry = RetryLayer::<R, T, _>::builder()
        .max_attempts(3)
        .exponential_backoff(ms(20))
        .budget(budget)
        .retry_on(|error: &CircuitBreakerError<_>| !error.is_circuit_open())
        .build();
    let breaker = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(20)
        .minimum_number_of_calls(5)
        .wait_duration_in_open(ms(500))
        .build()?;
    let bulkhead = BulkheadLayer::builder().max_concurrent_calls(64).reject_when_full().build()?;
    let stack = ServiceBuilder::new()
        .layer(within(ms(1000)))
        .layer(retry)
        .layer(breaker)
        .layer(bulkhead)
        .layer(within(ms(attempt_timeout)))
        .service(dependency);
    Ok(BoxCloneSyncService::new(stack.map_err(words)))
}

fn words(error: impl Display) -> String {
    error.to_string()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dependencies = Dependencies::from_environment()?;
    let (database, worker) = (dependencies.clone(), dependencies);
    serve(Api {
        database: guarded(service_fn(move |it| database.clone().record(it)), 450)?,
        worker: guarded(service_fn(move |()| worker.clone().work()), 400)?,
    })
    .await
}
