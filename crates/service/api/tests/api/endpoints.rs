//! Several workers: one of them fails in every way it can, then all of them do.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_testbed::proxy::{Fault, FaultProxy};
use holdfast_wire::{Breaker, DegradedCode, Endpoint};
use tokio::time::{Instant, sleep};

use crate::support::{Api, Metrics, System, TestConfig, spawn_worker};

/// Three workers, each behind a wire of its own, and an API that knows them all.
struct Company {
    api: Api,
    wires: Vec<FaultProxy>,
    /// Postgres, and a worker that nobody calls.
    _system: System,
}

impl Company {
    async fn start() -> Self {
        Self::with("", Duration::from_millis(50)).await
    }

    /// Going by `policies` besides; each worker takes `work_delay`.
    async fn with(policies: &str, work_delay: Duration) -> Self {
        let system = System::start().await;
        let mut wires = Vec::new();
        for _ in 0..3 {
            let worker = spawn_worker(work_delay);
            wires.push(FaultProxy::start(worker).await.unwrap());
        }
        let urls: Vec<_> = wires
            .iter()
            .map(|wire| format!("http://{}", wire.addr()))
            .collect();
        let api = Api::start(TestConfig::new(
            &urls.join(","),
            system.database.addr(),
            policies,
        ));
        api.becomes_healthy().await;
        // Calls that went well are what further attempts are paid from.
        for _ in 0..4 {
            join_all((0..16).map(|_| api.process())).await;
        }
        Self {
            api,
            wires,
            _system: system,
        }
    }

    async fn endpoint(&self, number: usize) -> Endpoint {
        let address = format!("http://{}", self.wires[number].addr());
        let endpoints = self.api.status().await.dependencies.worker.endpoints;
        let found = endpoints.into_iter().find(|it| it.address == address);
        found.unwrap()
    }

    /// Calls, eight at a time, until the first endpoint is (not) ejected; each answer must be a whole 200.
    async fn calls_until_ejected(&self, ejected: bool) {
        let started = Instant::now();
        while self.endpoint(0).await.ejected != ejected {
            assert!(
                started.elapsed() < Duration::from_secs(6),
                "ejected is not {ejected}: {:?}",
                self.api.status().await.dependencies.worker
            );
            for answer in join_all((0..8).map(|_| self.api.process())).await {
                assert_eq!(answer.status, 200, "{answer:?}");
                assert!(answer.degraded().is_empty(), "{answer:?}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Breaks the first by `fault`: nobody notices, it is ejected, and once healed it is called again.
    async fn does_without_the_first(&self, fault: Fault) {
        self.wires[0].set(fault).await;
        self.calls_until_ejected(true).await;
        let worker = self.api.status().await.dependencies.worker;
        assert_eq!(worker.breaker, Breaker::Closed, "{worker:?}");
        assert_eq!(self.endpoint(0).await.breaker, Breaker::Open);
        assert!(!self.endpoint(1).await.ejected && !self.endpoint(2).await.ejected);

        self.wires[0].set(Fault::None).await;
        self.calls_until_ejected(false).await;
    }
}

#[tokio::test]
async fn of_three_workers_one_that_refuses_is_ejected_and_comes_back_and_no_call_fails() {
    Company::start()
        .await
        .does_without_the_first(Fault::Refuse)
        .await;
}

#[tokio::test]
async fn of_three_workers_one_that_hangs_is_ejected_and_comes_back_and_no_call_fails() {
    Company::start()
        .await
        .does_without_the_first(Fault::Hang)
        .await;
}

#[tokio::test]
async fn of_three_workers_one_that_talks_nonsense_is_ejected_and_comes_back_and_no_call_fails() {
    let garbage = Fault::Garbage { share: 1.0 };
    Company::start().await.does_without_the_first(garbage).await;
}

#[tokio::test]
async fn of_three_workers_one_that_is_something_else_is_ejected_and_comes_back_and_no_call_fails() {
    let wrong = Fault::Status {
        code: 404,
        share: 1.0,
    };
    Company::start().await.does_without_the_first(wrong).await;
}

/// Connecting takes up to 1.2 s, and an attempt up to 1.5 s.
async fn attempts_while_one_of_three_is_not_reached(slow: &str, work: Duration) -> Company {
    let policies = format!(
        "worker.connect_timeout = \"1200ms\"
worker.attempt_timeout = \"1500ms\"
worker.deadline = \"4s\"
recovery.lease = \"10s\"
worker.breaker = {{ slow_call = \"{slow}\", consecutive_failures = 1, open_for = \"500ms\", max_open_for = \"1s\", ramp = \"200ms\" }}"
    );
    let company = Company::with(&policies, work).await;
    company.wires[0].set(Fault::Blackhole).await;
    company.calls_until_ejected(true).await;
    // Until it has been tried again, by a connection of that call's own.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(4) {
        let answers = join_all((0..4).map(|_| company.api.process())).await;
        assert!(answers.iter().all(|it| it.status == 200), "{answers:?}");
    }
    company
}

#[tokio::test]
async fn the_time_in_which_one_worker_was_not_reached_makes_the_others_not_slow() {
    let work = Duration::from_millis(50);
    let company = attempts_while_one_of_three_is_not_reached("1100ms", work).await;
    let metrics = company.api.metrics().await;
    assert_eq!(attempts(&metrics, "slow"), 0);
}

#[tokio::test]
async fn who_comes_to_a_second_worker_late_and_is_cut_off_there_tries_again() {
    let work = Duration::from_millis(600);
    let company = attempts_while_one_of_three_is_not_reached("1400ms", work).await;
    let metrics = company.api.metrics().await;
    assert_eq!(attempts(&metrics, "timed_out"), 0);
    assert!(attempts(&metrics, "neutral") >= 1);
}

#[tokio::test]
async fn while_two_of_three_refuse_the_slowness_of_the_third_is_the_workers() {
    let slow = "worker.breaker = { slow_call = \"300ms\", slow_call_rate = 1.0, open_for = \"500ms\", max_open_for = \"1s\" }";
    let company = Company::with(slow, Duration::from_millis(50)).await;
    for wire in &company.wires[..2] {
        wire.set(Fault::Refuse).await;
    }
    let latency = Fault::Latency {
        delay: Duration::from_millis(450),
        jitter: Duration::ZERO,
        share: 1.0,
    };
    company.wires[2].set(latency).await;
    let started = Instant::now();
    while attempts(&company.api.metrics().await, "slow") < 5 {
        assert!(started.elapsed() < Duration::from_secs(10));
        join_all((0..4).map(|_| company.api.process())).await;
    }
}

fn attempts(metrics: &Metrics, outcome: &str) -> u64 {
    let labels = format!("dependency=\"worker\",outcome=\"{outcome}\"");
    metrics.count(&format!("holdfast_attempts_total{{{labels}}}"))
}

#[tokio::test]
async fn all_three_dead_are_a_dead_worker_and_all_three_back_a_healthy_one() {
    let company = Company::start().await;
    for wire in &company.wires {
        wire.set(Fault::Refuse).await;
    }
    company.api.opens_worker_breaker().await;
    let answer = company.api.process().await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.degraded()[0].code, DegradedCode::WorkerUnavailable);
    for wire in &company.wires {
        wire.set(Fault::None).await;
    }
    company.api.becomes_healthy().await;
}

#[tokio::test]
async fn calls_are_shared_among_three_workers_and_each_tells_how_long_it_takes() {
    let company = Company::start().await;
    for _ in 0..4 {
        let answers = join_all((0..12).map(|_| company.api.process())).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
    for number in 0..3 {
        let endpoint = company.endpoint(number).await;
        let latency = endpoint.latency_seconds.expect("it was called");
        assert!((0.05..0.6).contains(&latency), "{endpoint:?}");
        assert_eq!(endpoint.breaker, Breaker::Closed);
    }
}

#[tokio::test]
async fn one_worker_is_one_endpoint_whose_breaker_is_the_workers() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let only = |status: holdfast_wire::Status| {
        let worker = status.dependencies.worker;
        let [only] = <[Endpoint; 1]>::try_from(worker.endpoints).unwrap();
        only
    };
    assert_eq!(only(system.api.status().await).breaker, Breaker::Closed);
    system.worker.set(Fault::Refuse).await;
    system.api.opens_worker_breaker().await;
    let dead = only(system.api.status().await);
    assert_eq!((dead.breaker, dead.ejected), (Breaker::Open, false));
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}
