//! One side's trouble stays on its side.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::Breaker;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::System;

/// Less than an attempt, which waits for who does not answer.
const WITHOUT_WAITING: Duration = Duration::from_millis(550);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_hung_naive_calls_change_nothing_on_the_resilient_side() {
    // Open for longer than the calls below take: a probe would wait for the worker.
    let breaker = "worker.breaker = { slow_call = \"550ms\", open_for = \"3s\", max_open_for = \"3s\", ramp = \"200ms\" }";
    let system = System::with(breaker, Duration::from_millis(50)).await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Hang).await;
    let mut hung = JoinSet::new();
    for _ in 0..500 {
        hung.spawn(system.api.request("GET", "/naive/process").send());
    }
    sleep(Duration::from_millis(500)).await;
    for _ in 0..3 {
        assert_eq!(system.api.process().await.status, 202);
    }
    assert_eq!(
        system.api.status().await.dependencies.worker.breaker,
        Breaker::Open
    );
    for _ in 0..10 {
        let started = Instant::now();
        assert_eq!(system.api.process().await.status, 202);
        assert!(
            started.elapsed() < WITHOUT_WAITING,
            "{:?}",
            started.elapsed()
        );
    }
    assert!(
        hung.try_join_next().is_none(),
        "a naive call ended: it did not hang"
    );
    hung.shutdown().await;
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_silent_worker_does_not_slow_what_needs_only_the_database() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Hang).await;
    let (answer, ()) = tokio::join!(system.api.process(), async {
        for path in ["/requests", "/status", "/policies", "/readyz", "/metrics"] {
            let started = Instant::now();
            assert_eq!(system.api.get(path).await.status(), 200);
            assert!(started.elapsed() < WITHOUT_WAITING, "{path}");
        }
    });
    assert_eq!(answer.status, 202);
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_silent_database_leaves_the_worker_its_whole_time_even_where_there_is_none_to_spare() {
    let no_time_to_spare = "worker.deadline = \"600ms\"\ndatabase.deadline = \"500ms\"\n";
    let system = System::with(no_time_to_spare, Duration::from_millis(50)).await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Hang).await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.degraded().len(), 1, "only the database: {answer:?}");
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
}
