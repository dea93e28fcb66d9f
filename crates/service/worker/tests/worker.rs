//! The worker over real sockets.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::time::Duration;

use holdfast_ops::probe;
use holdfast_wire::Work;
use holdfast_worker::{Application, Settings};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(5);

struct Worker {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

fn spawn_worker(work_delay: Duration) -> Worker {
    spawn_limited(work_delay, None)
}

fn spawn_limited(work_delay: Duration, capacity: Option<NonZeroU32>) -> Worker {
    let settings = Settings {
        bind: "127.0.0.1:0".parse().unwrap(),
        work_delay,
        capacity,
        warmup: Duration::ZERO,
    };
    let application = Application::build(settings).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], application.port()));
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(application.run_until_stopped(async {
        let _ = stopped.await;
    }));
    Worker {
        address,
        stop,
        served,
    }
}

async fn get(address: SocketAddr, path: &str) -> reqwest::Response {
    reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap()
}

#[tokio::test]
async fn work_takes_its_delay_and_answers_done() {
    let worker = spawn_worker(Duration::from_millis(300));
    let started = Instant::now();
    let work: Work = get(worker.address, "/work").await.json().await.unwrap();
    assert_eq!(work.status, "done");
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn work_beyond_capacity_waits_in_arrival_order_and_a_caller_that_was_reset_keeps_nobody_waiting()
 {
    let delay = Duration::from_millis(400);
    let worker = spawn_limited(delay, NonZeroU32::new(1));
    let address = worker.address;
    let ended = |name: &'static str| async move {
        get(address, "/work").await;
        (name, Instant::now())
    };
    let comes_to_wait = |waiting: u32| async move {
        let line = format!("holdfast_work_waiting {waiting}");
        while !get(address, "/metrics")
            .await
            .text()
            .await
            .unwrap()
            .contains(&line)
        {
            tokio::task::yield_now().await;
        }
    };
    let started = Instant::now();
    let first = tokio::spawn(ended("first"));
    while !get(address, "/metrics")
        .await
        .text()
        .await
        .unwrap()
        .contains("in_flight 1")
    {
        tokio::task::yield_now().await;
    }
    let mut leaver = TcpStream::connect(address).await.unwrap();
    let call = b"GET /work HTTP/1.1\r\nhost: x\r\n\r\n";
    leaver.write_all(call).await.unwrap();
    comes_to_wait(1).await;
    let second = tokio::spawn(ended("second"));
    comes_to_wait(2).await;
    let third = tokio::spawn(ended("third"));
    comes_to_wait(3).await;
    // With a reset, which is noticed at once.
    leaver.set_zero_linger().unwrap();
    drop(leaver);
    let (second, third) = (second.await.unwrap(), third.await.unwrap());
    assert!(first.await.unwrap().1 < second.1 && second.1 < third.1);
    let took = started.elapsed();
    assert!(took >= delay * 3 && took < delay * 4, "{took:?}");
    comes_to_wait(0).await;
}

#[tokio::test]
async fn metrics_count_the_calls_received() {
    let worker = spawn_worker(Duration::ZERO);
    assert!(
        get(worker.address, "/metrics")
            .await
            .text()
            .await
            .unwrap()
            .contains("calls_total 0")
    );
    get(worker.address, "/work").await;
    let metrics = get(worker.address, "/metrics").await.text().await.unwrap();
    assert!(metrics.contains("holdfast_work_calls_total 1"), "{metrics}");
    assert!(metrics.contains("holdfast_work_in_flight 0"), "{metrics}");
}

#[tokio::test]
async fn stopping_turns_unready_first_and_finishes_the_call_under_way() {
    let worker = spawn_worker(Duration::from_millis(900));
    probe::ready(worker.address, LIMIT).await.unwrap();
    let address = worker.address;
    let under_way = tokio::spawn(async move { get(address, "/work").await.status() });
    while !get(address, "/metrics")
        .await
        .text()
        .await
        .unwrap()
        .contains("in_flight 1")
    {
        tokio::task::yield_now().await;
    }
    worker.stop.send(()).unwrap();
    while get(address, "/readyz").await.status() != 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(under_way.await.unwrap(), 200);
    worker.served.await.unwrap().unwrap();
    assert!(
        probe::ready(address, LIMIT).await.is_err(),
        "it still listens"
    );
}

#[tokio::test]
async fn a_full_disk_costs_log_lines_and_no_answers() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let address = port.unwrap();
    let _worker = Command::new(env!("CARGO_BIN_EXE_holdfast-worker"))
        .env("HOLDFAST_BIND", address.to_string())
        .env("HOLDFAST_WORK_DELAY", "0s")
        .env("RUST_LOG", "trace")
        .stdout(full())
        .stderr(full())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let started = Instant::now();
    while probe::ready(address, LIMIT).await.is_err() {
        assert!(started.elapsed() < LIMIT, "it never became ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get(address, "/work").await.status(), 200);
}

#[tokio::test]
async fn the_log_says_which_trace_and_which_attempt_asked() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let mut worker = Command::new(env!("CARGO_BIN_EXE_holdfast-worker"))
        .env("HOLDFAST_BIND", address.to_string())
        .env("HOLDFAST_WORK_DELAY", "0s")
        .env("RUST_LOG", "holdfast_worker=debug")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(worker.stdout.take().unwrap()).lines();
    assert!(
        lines
            .next_line()
            .await
            .unwrap()
            .unwrap()
            .contains("worker started")
    );
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = reqwest::Client::new()
        .get(format!("http://{address}/work"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    let line = lines.next_line().await.unwrap().unwrap();
    for said in ["asked to work", trace, "00f067aa0ba902b7"] {
        assert!(line.contains(said), "{said} is not in {line}");
    }
}
