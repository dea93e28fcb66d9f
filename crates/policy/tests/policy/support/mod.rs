//! A dependency that does as the test says, and the policy in front of it.

mod dependency;
mod recorder;

use std::time::Duration;

use holdfast_policy::{
    BackoffConfig, BreakerConfig, BudgetConfig, BulkheadConfig, Call, Error, HedgeConfig, Policy,
    PolicyConfig, RetryConfig, Window,
};
use tokio::task::JoinHandle;

pub(crate) use self::dependency::{Dependency, Does, Judge, Trouble};
pub(crate) use self::recorder::Recorder;

pub(crate) type Answer = Result<u32, Error<Trouble>>;

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A policy's configuration with nothing left out, so that a test can name its keys.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) idempotent: bool,
    pub(crate) retry: RetryConfig,
    pub(crate) hedge: Option<HedgeConfig>,
    pub(crate) breaker: BreakerConfig,
    pub(crate) bulkhead: BulkheadConfig,
}

impl From<Settings> for PolicyConfig {
    fn from(settings: Settings) -> Self {
        Self {
            attempt_timeout: Some(settings.attempt_timeout),
            deadline: settings.deadline,
            idempotent: settings.idempotent,
            retry: Some(settings.retry),
            hedge: settings.hedge,
            breaker: Some(settings.breaker),
            bulkhead: Some(settings.bulkhead),
        }
    }
}

/// One attempt per call, so that what happens to an attempt is plain to see; each test changes the
/// keys it is about.
pub(crate) fn config() -> Settings {
    Settings {
        attempt_timeout: ms(1_000),
        deadline: ms(5_000),
        idempotent: true,
        retry: RetryConfig {
            max_attempts: 1,
            backoff: BackoffConfig {
                initial: ms(100),
                max: ms(1_000),
                multiplier: 2.0,
            },
            budget: BudgetConfig {
                ratio: 0.1,
                floor_per_second: 10.0,
            },
            ..RetryConfig::default()
        },
        hedge: None,
        breaker: BreakerConfig {
            window: Window::Time(ms(10_000)),
            minimum_calls: 5,
            failure_rate: 0.5,
            slow_call: Some(ms(500)),
            slow_call_rate: Some(0.8),
            consecutive_failures: 3,
            open_for: ms(5_000),
            max_open_for: ms(30_000),
            half_open_calls: 2,
            ramp: ms(0),
        },
        bulkhead: BulkheadConfig {
            max_concurrent: 300,
            max_waiting: 0,
            max_wait: ms(0),
            adaptive: None,
        },
    }
}

/// A policy whose configuration is [`config`], changed.
pub(crate) fn policy(change: impl FnOnce(&mut Settings)) -> Policy<Judge> {
    watched(change).0
}

/// The same, with all of its events on record.
pub(crate) fn watched(change: impl FnOnce(&mut Settings)) -> (Policy<Judge>, Recorder) {
    let mut config = config();
    change(&mut config);
    let recorder = Recorder::default();
    let builder = Policy::builder("worker", config.into())
        .classify(Judge)
        .seed(1);
    (builder.observe(recorder.clone()).build().unwrap(), recorder)
}

/// Makes the breaker a bystander in tests that are about something else.
pub(crate) fn without_breaker(config: &mut Settings) {
    config.breaker.minimum_calls = 1_000_000;
    config.breaker.consecutive_failures = 1_000_000;
}

/// Calls the dependency once under the policy.
pub(crate) async fn ask(policy: &Policy<Judge>, dependency: &Dependency) -> Answer {
    send(policy, dependency, Call::new(())).await
}

/// The same with a call of the test's making.
pub(crate) async fn send(
    policy: &Policy<Judge>,
    dependency: &Dependency,
    call: Call<()>,
) -> Answer {
    policy.call(call, |()| dependency.respond()).await
}

/// The same on a task of its own, which has run as far as it can without time passing.
pub(crate) async fn start(policy: &Policy<Judge>, dependency: &Dependency) -> JoinHandle<Answer> {
    let (policy, dependency) = (policy.clone(), dependency.clone());
    let task = tokio::spawn(async move { ask(&policy, &dependency).await });
    settle().await;
    task
}

/// Lets every task run as far as it can without time passing.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Opens the breaker by failures and waits until a probe is due.
pub(crate) async fn open_until_probe(policy: &Policy<Judge>, dependency: &Dependency) {
    dependency.now(Does::Fail);
    for _ in 0..policy
        .config()
        .breaker
        .as_ref()
        .unwrap()
        .consecutive_failures
    {
        ask(policy, dependency).await.unwrap_err();
    }
    wait_for_probe(policy).await;
}

/// Waits until the open breaker would let a probe pass.
pub(crate) async fn wait_for_probe(policy: &Policy<Judge>) {
    let wait = policy.snapshot().retry_after.expect("the breaker is open");
    tokio::time::sleep(wait).await;
}
