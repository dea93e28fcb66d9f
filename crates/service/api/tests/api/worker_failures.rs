//! The worker fails in every way it can; Postgres is well.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Breaker, DegradedCode, ProcessedStatus, Reason, RecordedIn, RequestList};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::support::{Api, System, TestConfig};

const WORKER: DegradedCode = DegradedCode::WorkerUnavailable;

fn start(worker_url: &str, system: &System) -> Api {
    Api::start(TestConfig::new(worker_url, system.database.addr(), ""))
}

/// Sets `fault` before the worker, expects `reason`, heals, expects health.
async fn falls_back_and_recovers(fault: Fault, reason: Reason) {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(fault).await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.reason(WORKER), reason);
    let body = answer.processed();
    assert_eq!(body.status, ProcessedStatus::Degraded);
    assert_eq!(body.worker_response, None);
    assert_eq!(body.recorded_in, RecordedIn::Database);
    assert_eq!(
        answer.location,
        Some(format!("/requests/{}", body.request_id))
    );
    assert!(answer.retry_after.unwrap() >= 1);
    assert!(body.degraded[0].attempts >= 1);

    let open: RequestList = system
        .api
        .get("/requests?status=received")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(open.requests[0].request_id, body.request_id);

    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_dead_worker_is_a_refused_connection() {
    falls_back_and_recovers(Fault::Refuse, Reason::ConnectRefused).await;
}

#[tokio::test]
async fn a_paused_worker_is_an_attempt_that_timed_out() {
    falls_back_and_recovers(Fault::Hang, Reason::AttemptTimeout).await;
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_the_answer_is_a_reset() {
    falls_back_and_recovers(
        Fault::Reset {
            after: 40,
            share: 1.0,
        },
        Reason::ConnectionReset,
    )
    .await;
}

#[tokio::test]
async fn bytes_of_no_protocol_are_a_bad_response() {
    falls_back_and_recovers(Fault::Garbage { share: 1.0 }, Reason::BadResponse).await;
}

#[tokio::test]
async fn dropped_packets_are_a_connection_that_timed_out() {
    // The attempt on the kept connection times out, and the next one cannot connect.
    falls_back_and_recovers(Fault::Blackhole, Reason::ConnectTimeout).await;
}

#[tokio::test]
async fn an_answer_held_back_too_long_is_an_attempt_that_timed_out() {
    let late = Fault::Latency {
        delay: Duration::from_secs(2),
        jitter: Duration::from_millis(500),
        share: 1.0,
    };
    falls_back_and_recovers(late, Reason::AttemptTimeout).await;
}

#[tokio::test]
async fn an_error_status_is_the_workers_failure() {
    let status = Fault::Status {
        code: 500,
        share: 1.0,
    };
    falls_back_and_recovers(status, Reason::BadStatus).await;
}

#[tokio::test]
async fn an_open_breaker_answers_at_once_and_lets_a_probe_through_later() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Hang).await;
    system.api.opens_worker_breaker().await;
    let touched = system.worker.accepted();

    let started = Instant::now();
    let answer = system.api.process().await;
    // Less than an attempt.
    assert!(
        started.elapsed() < Duration::from_millis(400),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(answer.status, 202);
    assert_eq!(answer.reason(WORKER), Reason::CircuitOpen);
    assert_eq!(answer.degraded()[0].attempts, 0);
    assert_eq!(system.worker.accepted(), touched, "the worker was touched");
    let status = system.api.status().await;
    assert_eq!(status.dependencies.worker.breaker, Breaker::Open);
    assert_eq!(
        status.dependencies.worker.last_error,
        Some(Reason::AttemptTimeout)
    );
    assert!(status.dependencies.worker.retry_after_seconds.is_some());
    let because = status
        .dependencies
        .worker
        .dependency
        .opened_because
        .unwrap();
    assert!(because.contains("attempt_timeout"), "{because}");
    assert_eq!(status.dependencies.database.breaker, Breaker::Closed);
    assert_eq!(system.api.get("/readyz").await.status(), 200);

    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    // The second of the probes that decide.
    system.api.process().await;
    system
        .api
        .comes_to(|status| {
            let worker = &status.dependencies.worker;
            worker.breaker == Breaker::Closed && worker.opened_because.is_none()
        })
        .await;
}

#[tokio::test]
async fn a_paused_worker_opens_the_breaker_within_three_calls() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Hang).await;
    for _ in 0..3 {
        assert_eq!(system.api.process().await.status, 202);
    }
    assert_eq!(
        system.api.status().await.dependencies.worker.breaker,
        Breaker::Open
    );
}

#[tokio::test]
async fn the_naive_endpoint_falls_where_the_resilient_one_holds() {
    let system = System::start().await;
    system.worker.set(Fault::Refuse).await;
    let naive = system.api.get("/naive/process").await;
    assert_eq!(naive.status(), 500);
    assert_eq!(naive.text().await.unwrap(), "");
    assert_eq!(system.api.process().await.status, 202);

    system.worker.set(Fault::None).await;
    assert_eq!(system.api.get("/naive/process").await.status(), 200);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_dns_failure() {
    let system = System::start().await;
    let api = start("http://no-such-worker.invalid:8081", &system);
    let answer = api.process().await;
    assert_eq!(
        (answer.status.as_u16(), answer.reason(WORKER)),
        (202, Reason::DnsFailure)
    );
}

#[tokio::test]
async fn an_error_status_and_a_body_that_is_no_json_are_told_apart() {
    let system = System::start().await;
    for (said, reason) in [
        (
            "500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}",
            Reason::BadStatus,
        ),
        (
            "503 Service Unavailable\r\nRetry-After: 18446744073709551615\r\nContent-Length: 0\r\n\r\n",
            Reason::BadStatus,
        ),
        (
            "404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
            Reason::BadStatus,
        ),
        (
            "307 Temporary Redirect\r\nLocation: /work\r\nContent-Length: 0\r\n\r\n",
            Reason::BadStatus,
        ),
        (
            "200 OK\r\nContent-Length: 5\r\n\r\nhello",
            Reason::BadResponse,
        ),
        ("200 OK\r\nContent-Length: 0\r\n\r\n", Reason::BadResponse),
        (
            "200 OK\r\nContent-Length: 9\r\n\r\n{",
            Reason::ConnectionReset,
        ),
    ] {
        let worker = server_saying(format!("HTTP/1.1 {said}")).await;
        let api = start(&format!("http://{worker}"), &system);
        let answer = api.process().await;
        assert_eq!(
            (answer.status.as_u16(), answer.reason(WORKER)),
            (202, reason),
            "{said}"
        );
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off_as_a_bad_response() {
    let system = System::start().await;
    let body = "x".repeat(100_000);
    let worker = server_saying(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{body}"
    ))
    .await;
    let api = start(&format!("http://{worker}"), &system);
    assert_eq!(api.process().await.reason(WORKER), Reason::BadResponse);
}

#[tokio::test]
async fn a_policy_that_rejects_answers_503_instead_of_deferring() {
    let system = System::with("worker.on_unavailable = 'reject'", Duration::ZERO).await;
    system.worker.set(Fault::Refuse).await;
    let answer = system.api.process().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem().code.as_str(), "worker_unavailable");
    assert_eq!(answer.reason(WORKER), Reason::ConnectRefused);
    assert!(answer.retry_after.unwrap() >= 1);
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

/// A server that reads a request, says its piece and closes.
async fn server_saying(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let read = stream.read(&mut [0; 1024]).await.unwrap();
                assert!(read > 0);
                // A client that has heard enough closes first.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}
