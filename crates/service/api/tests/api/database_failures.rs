//! Postgres fails in every way it can; the worker is well.

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Breaker, DegradedCode, Problem, Reason, RecordedIn, RequestStatus};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

use crate::support::{Answer, Api, MACHINE, System, TestConfig, done, spawn_worker};

const DATABASE: DegradedCode = DegradedCode::DbUnavailable;

fn start(worker_url: &str, database: SocketAddr) -> Api {
    Api::start(TestConfig::new(worker_url, database, ""))
}

fn assert_served_from_the_journal(answer: &Answer, reasons: &[Reason]) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let reason = answer.reason(DATABASE);
    assert!(reasons.contains(&reason), "{reason}");
    assert_eq!(answer.processed().worker_response, Some(done()));
    assert_eq!(answer.processed().recorded_in, RecordedIn::Journal);
    assert_eq!(answer.degraded().len(), 1);
}

/// Sets `fault` before Postgres, expects one of `reasons`, heals, expects health.
async fn serves_from_the_journal_and_recovers(fault: Fault, reasons: &[Reason]) {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(fault).await;
    let answer = system.api.process().await;
    assert_served_from_the_journal(&answer, reasons);
    let id = answer.processed().request_id;
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    // By itself, from the journal.
    system.api.journal_empties().await;
    let request = system.api.comes_to_be(id, RequestStatus::Done).await;
    assert_eq!(request.worker_response, Some(done()));
}

#[tokio::test]
async fn a_refused_connection_costs_the_record_not_the_answer() {
    serves_from_the_journal_and_recovers(Fault::Refuse, &[Reason::ConnectRefused]).await;
}

#[tokio::test]
async fn a_silent_database_costs_the_record_not_the_answer() {
    // The pooled session times out as an attempt, the one opened in its place as a connection.
    let reasons = [Reason::AttemptTimeout, Reason::ConnectTimeout];
    serves_from_the_journal_and_recovers(Fault::Hang, &reasons).await;
}

#[tokio::test]
async fn dropped_packets_and_late_answers_cost_the_record_not_the_answer() {
    let reasons = [Reason::AttemptTimeout, Reason::ConnectTimeout];
    serves_from_the_journal_and_recovers(Fault::Blackhole, &reasons).await;
    let late = Fault::Latency {
        delay: Duration::from_secs(2),
        jitter: Duration::ZERO,
        share: 1.0,
    };
    serves_from_the_journal_and_recovers(late, &reasons).await;
}

#[tokio::test]
async fn a_session_reset_under_a_statement_costs_the_record_not_the_answer() {
    serves_from_the_journal_and_recovers(
        Fault::Reset {
            after: 1,
            share: 1.0,
        },
        &[Reason::ConnectionReset],
    )
    .await;
}

#[tokio::test]
async fn bytes_of_no_protocol_under_a_statement_end_the_session() {
    // The driver tells only that the session is gone; the one opened in its place hears the nonsense itself.
    let reasons = [Reason::ConnectionReset, Reason::BadResponse];
    serves_from_the_journal_and_recovers(Fault::Garbage { share: 1.0 }, &reasons).await;
}

#[tokio::test]
async fn bytes_of_no_protocol_instead_of_a_handshake_are_a_bad_response() {
    let system = System::start().await;
    system.database.set(Fault::Garbage { share: 1.0 }).await;
    let worker = format!("http://{}", system.worker.addr());
    let api = start(&worker, system.database.addr());
    assert_served_from_the_journal(&api.process().await, &[Reason::BadResponse]);
    system.database.set(Fault::None).await;
    api.becomes_healthy().await;
}

#[tokio::test]
async fn a_killed_server_is_found_again_when_it_restarts() {
    let mut system = System::start().await;
    system.api.becomes_healthy().await;
    system.cluster.kill().await.unwrap();
    let gone = [Reason::ConnectRefused, Reason::ConnectionReset];
    assert_served_from_the_journal(&system.api.process().await, &gone);
    assert_eq!(system.api.get("/naive/process").await.status(), 500);
    system.cluster.start_again().await.unwrap();
    system.api.becomes_healthy().await;
    assert_eq!(system.api.get("/naive/process").await.status(), 200);
}

#[tokio::test]
async fn a_paused_server_is_held_at_arms_length_until_it_resumes() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.cluster.pause().await.unwrap();
    system.api.opens_database_breaker().await;
    let started = Instant::now();
    let answer = system.api.process().await;
    // Less than an attempt.
    assert!(
        started.elapsed() < Duration::from_millis(400),
        "{:?}",
        started.elapsed()
    );
    assert_served_from_the_journal(&answer, &[Reason::CircuitOpen]);
    assert_eq!(system.api.get("/readyz").await.status(), 200);
    system.cluster.resume();
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_named_as_such() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    for statement in [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ] {
        sql.batch_execute(statement).await.unwrap();
    }
    let started = Instant::now();
    let answer = loop {
        let answer = system.api.process().await;
        if !answer.degraded().is_empty() {
            break answer;
        }
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "the server never became read-only"
        );
    };
    assert_served_from_the_journal(&answer, &[Reason::NotWritable]);
    for statement in [
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    ] {
        sql.batch_execute(statement).await.unwrap();
    }
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn reads_say_503_while_the_database_is_gone_and_404_only_when_it_answered() {
    let system = System::start().await;
    let path = "/requests/0198c0de-0000-7000-8000-000000000001";
    assert_eq!(system.api.get(path).await.status(), 404);
    system.database.set(Fault::Refuse).await;
    for path in [path, "/requests"] {
        let response = system.api.get(path).await;
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.code.as_str(), "db_unavailable");
        assert_eq!(problem.degraded.unwrap().len(), 1);
    }
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    assert_eq!(system.api.get(path).await.status(), 404);
}

#[tokio::test]
async fn a_policy_that_rejects_answers_503_before_it_calls_the_worker() {
    let system = System::with("database.on_unavailable = 'reject'", Duration::ZERO).await;
    system.database.set(Fault::Refuse).await;
    let touched = system.worker.accepted();
    let answer = system.api.process().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem().code.as_str(), "db_unavailable");
    assert_eq!(system.worker.accepted(), touched);
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn the_api_starts_and_answers_while_neither_dependency_is_there() {
    let worker = spawn_worker(Duration::ZERO);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let api = start(&format!("http://{worker}"), closed);
    assert_eq!(api.get("/readyz").await.status(), 200);
    assert_served_from_the_journal(&api.process().await, &[Reason::ConnectRefused]);

    let api = start(&format!("http://{closed}"), closed);
    let answer = api.process().await;
    assert_eq!((answer.status.as_u16(), answer.degraded().len()), (202, 2));
    assert_eq!(api.get("/readyz").await.status(), 200);
}

#[tokio::test]
async fn a_database_name_that_does_not_resolve_is_a_dns_failure() {
    let worker = spawn_worker(Duration::ZERO);
    let database = "postgres://holdfast:holdfast@no-such-database.invalid/holdfast";
    let silent = SocketAddr::from(([127, 0, 0, 1], 1));
    let config = TestConfig::new(&format!("http://{worker}"), silent, "");
    let api = Api::start(TestConfig {
        database_url: database.to_owned(),
        ..config
    });
    assert_served_from_the_journal(&api.process().await, &[Reason::DnsFailure]);
}

#[tokio::test]
async fn a_silent_address_is_a_connect_timeout() {
    // Listens with a full backlog: the kernel drops what comes, as a lost network would.
    let (silent, _held) = silent_address().await;
    let worker = spawn_worker(Duration::ZERO);
    let api = start(&format!("http://{worker}"), silent);
    assert_served_from_the_journal(&api.process().await, &[Reason::ConnectTimeout]);

    let cluster = System::start().await;
    let api = start(&format!("http://{silent}"), cluster.database.addr());
    let started = Instant::now();
    let answer = api.process().await;
    assert_eq!(
        answer.reason(DegradedCode::WorkerUnavailable),
        Reason::ConnectTimeout
    );
    assert!(started.elapsed() < api.worst_case().await + MACHINE);
}

/// An address whose backlog of one is full, and what keeps it so.
async fn silent_address() -> (SocketAddr, Vec<tokio::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    loop {
        let connect = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connect).await {
            Ok(stream) => held.push(stream.unwrap()),
            Err(_) => break,
        }
    }
    // Never accepted, never closed.
    std::mem::forget(listener);
    (address, held)
}

#[tokio::test]
async fn the_database_breaker_leaves_the_workers_alone() {
    let system = System::start().await;
    system.database.set(Fault::Refuse).await;
    system.api.opens_database_breaker().await;
    let status = system.api.status().await;
    assert_eq!(status.dependencies.worker.breaker, Breaker::Closed);
    assert_eq!(status.dependencies.worker.last_error, None);
}

#[tokio::test]
async fn an_api_without_traffic_is_ready_for_the_database_the_moment_it_is_there() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system
        .api
        .comes_to(|status| status.open_work == Some(0))
        .await;
    system.database.set(Fault::Refuse).await;
    // Long enough for the gauge of open work to fail several times.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let database = system.api.status().await.dependencies.database;
    assert_eq!(database.breaker, Breaker::Closed);
    system.database.set(Fault::None).await;
    let answer = system.api.process().await;
    assert_eq!((answer.status.as_u16(), answer.degraded()), (200, &[][..]));
}
