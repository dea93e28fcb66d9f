//! Stopping, and staying level over many failures.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::Problem;

use crate::support::{Answer, System};

#[tokio::test]
async fn stopping_turns_unready_first_and_finishes_what_is_under_way() {
    let mut system = System::with("", Duration::from_millis(300)).await;
    let call = tokio::spawn(system.api.request("GET", "/process").send());
    let mut farewell = None;
    tokio::time::sleep(Duration::from_millis(100)).await;
    system.api.stop();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = system.api.get("/readyz").await;
        if answer.status() == 503 {
            farewell = answer.headers().get("connection").cloned();
            assert_eq!(answer.headers()["retry-after"], "1");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let problem: Problem = answer.json().await.unwrap();
            assert_eq!(problem.code.as_str(), "draining");
            break;
        }
    }
    assert_eq!(farewell.unwrap(), "close", "it never said that it drains");
    let answer = Answer::read(call.await.unwrap().unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.degraded().is_empty(), "{answer:?}");
    system.api.stopped().await;
    assert!(
        tokio::net::TcpStream::connect(system.api.address)
            .await
            .is_err(),
        "it still listens"
    );
}

#[tokio::test]
async fn a_naive_call_that_hangs_holds_up_an_orderly_stop_no_longer_than_the_bound() {
    // What the server itself would wait for is the lease.
    let mut system = System::with("recovery.lease = \"60s\"", Duration::from_millis(300)).await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Hang).await;
    let _hangs = tokio::spawn(system.api.request("GET", "/naive/process").send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let bound = system.api.worst_case().await;
    let started = tokio::time::Instant::now();
    system.api.stop();
    system.api.stopped().await;
    // The notice before it, the slack after it, the machine.
    assert!(started.elapsed() < bound + Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_degraded_calls_leave_no_descriptor_and_no_session_behind() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let (descriptors, sessions) = (open_descriptors(), backends(&system).await);
    for fault in [Fault::Hang, Fault::Refuse] {
        system.worker.set(fault).await;
        system.database.set(fault).await;
        for _ in 0..10 {
            let calls = (0..50).map(|_| system.api.get("/process"));
            for response in futures_util::future::join_all(calls).await {
                assert_eq!(response.status(), 202);
            }
        }
        system.worker.set(Fault::None).await;
        system.database.set(Fault::None).await;
        system.api.becomes_healthy().await;
    }
    let started = tokio::time::Instant::now();
    // The client's own idle connections (50) and the pool (16) are no leak.
    while open_descriptors() > descriptors + 300 || backends(&system).await > sessions + 16 {
        let now = (open_descriptors(), backends(&system).await);
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{descriptors}, {sessions} before, {now:?} after"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn backends(system: &System) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'holdfast'";
    system
        .sql()
        .await
        .query_one(query, &[])
        .await
        .unwrap()
        .get(0)
}
