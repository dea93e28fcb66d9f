//! Clients that leave before their answer: by a FIN as by a reset, and their places are free.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_wire::RequestStatus;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Api, CountingWorker, System, TestConfig};

const PROCESS: &[u8] = b"GET /process HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// The quick policies' deadline of the worker is less; these calls wait for a real one.
const PATIENT: &str = "worker.attempt_timeout = \"2500ms\"\nworker.deadline = \"3s\"\n\
    worker.breaker = { slow_call = \"2400ms\", open_for = \"500ms\", max_open_for = \"1s\", ramp = \"200ms\" }\n\
    recovery.lease = \"8s\"";

async fn calling(system: &System, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(system.api.address).await.unwrap();
    stream.write_all(said).await.unwrap();
    stream
}

/// Waits until no call is in flight, which must not take as long as an answer.
async fn nobody_stays(system: &System) {
    let started = Instant::now();
    while in_flight(system).await != 0 {
        assert!(started.elapsed() < Duration::from_secs(1), "they stay");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn in_flight(system: &System) -> u64 {
    let series = "holdfast_endpoint_in_flight{endpoint=\"process\"}";
    system.api.metrics().await.count(series)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_and_twelve_that_hang_up_leave_room_for_others_at_once() {
    let system = System::with(PATIENT, Duration::from_secs(2)).await;
    let calls = join_all((0..512).map(|_| calling(&system, PROCESS))).await;
    sleep(Duration::from_millis(300)).await;
    assert_ne!(in_flight(&system).await, 0);
    drop(calls);
    nobody_stays(&system).await;
    let answers = join_all((0..20).map(|_| system.api.get("/process"))).await;
    for answer in answers {
        assert_ne!(answer.status(), 503);
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_gone_and_its_request_is_still_finished() {
    let system = System::with(PATIENT, Duration::from_secs(1)).await;
    let mut stream = calling(&system, PROCESS).await;
    let sql = system.sql().await;
    let started = Instant::now();
    let id = loop {
        let row = sql.query_opt("SELECT id FROM requests", &[]).await.unwrap();
        if let Some(row) = row {
            break row.get(0);
        }
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "it was not taken on"
        );
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(in_flight(&system).await, 1);
    stream.shutdown().await.unwrap();
    let mut said = [0; 64];
    let rest = timeout(Duration::from_millis(500), stream.read(&mut said));
    assert_eq!(rest.await.expect("it waits for the answer").unwrap(), 0);
    nobody_stays(&system).await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn requests_sent_one_after_the_other_without_waiting_are_all_answered() {
    let system = System::start().await;
    let mut stream = calling(&system, &PROCESS.repeat(3)).await;
    let mut answers = String::new();
    while answers.matches("HTTP/1.1 200 OK").count() < 3 || !answers.ends_with('}') {
        let mut bytes = [0; 4096];
        let read = timeout(Duration::from_secs(5), stream.read(&mut bytes)).await;
        let read = read.expect("no answer").unwrap();
        assert!(read > 0, "closed after {answers}");
        answers += std::str::from_utf8(&bytes[..read]).unwrap();
    }
}

#[tokio::test]
async fn two_hundred_callers_under_one_key_cost_one() {
    let worker = CountingWorker::start(Duration::from_millis(300)).await;
    let system = System::start().await;
    let config = TestConfig::new(&worker.url(), system.database.addr(), "");
    let api = Api::start(config);
    let calls = (0..200).map(|_| api.post_keyed("many", "1"));
    let answers = join_all(calls).await;
    let id = answers[0].processed().request_id;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.processed().request_id, id);
    }
    assert_eq!(worker.calls(), 1);
    let rows = system.sql().await;
    let rows = rows.query_one("SELECT count(*) FROM requests", &[]).await;
    assert_eq!(rows.unwrap().get::<_, i64>(0), 1);
}
