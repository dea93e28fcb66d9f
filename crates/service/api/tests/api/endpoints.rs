//! Several workers: one of them fails in every way it can, then all of them do.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_testbed::proxy::{Fault, FaultProxy};
use holdfast_wire::{Breaker, DegradedCode, Endpoint};
use tokio::time::{Instant, sleep};

use crate::support::{Api, System, TestConfig, spawn_worker};

/// Three workers, each behind a wire of its own, and an API that knows them all.
struct Company {
    api: Api,
    wires: Vec<FaultProxy>,
    /// Postgres, and a worker that nobody calls.
    _system: System,
}

impl Company {
    async fn start() -> Self {
        let system = System::start().await;
        let mut wires = Vec::new();
        for _ in 0..3 {
            let worker = spawn_worker(Duration::from_millis(50));
            wires.push(FaultProxy::start(worker).await.unwrap());
        }
        let urls: Vec<_> = wires
            .iter()
            .map(|wire| format!("http://{}", wire.addr()))
            .collect();
        let api = Api::start(TestConfig::new(&urls.join(","), system.database.addr(), ""));
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
