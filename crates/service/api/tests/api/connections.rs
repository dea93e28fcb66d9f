//! Whatever clients do with their connections: each is bounded in time and number, and who comes is let in.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_ops::probe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Events, System};

/// The limit on a request's head, and what a busy machine may add.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
const MACHINE: Duration = Duration::from_secs(2);
const PROBE_LIMIT: Duration = Duration::from_secs(2);
const LIVEZ: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A connection over which one request was answered.
async fn answered_once(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await;
    stream
}

async fn ask(stream: &mut TcpStream) {
    stream.write_all(LIVEZ).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "no answer");
    }
}

/// How long it takes until the server ends this connection, which must say nothing more.
async fn ended(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let said = timeout(HEAD_LIMIT + MACHINE, stream.read(&mut [0; 64])).await;
    match said.expect("it is still open") {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_that_begin_a_second_request_and_fall_silent_are_closed_within_the_limit() {
    let system = System::start().await;
    let address = system.api.address;
    let mut held = join_all((0..2000).map(|_| answered_once(address))).await;
    for stream in &mut held {
        stream.write_all(b"G").await.unwrap();
    }
    let closing = tokio::spawn(async move { join_all(held.iter_mut().map(ended)).await });
    while !closing.is_finished() {
        probe::ready(address, PROBE_LIMIT).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    let longest = closing.await.unwrap().into_iter().max().unwrap();
    assert!(longest <= HEAD_LIMIT + MACHINE, "{longest:?}");
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn a_kept_connection_is_served_again_and_closed_when_it_is_idle() {
    let system = System::start().await;
    let mut kept = answered_once(system.api.address).await;
    // Each request has a limit of its own: together they take longer.
    for _ in 0..3 {
        sleep(Duration::from_secs(2)).await;
        kept.write_all(&LIVEZ[..5]).await.unwrap();
        sleep(Duration::from_millis(500)).await;
        kept.write_all(&LIVEZ[5..]).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert!(kept.read_buf(&mut answer).await.unwrap() > 0, "no answer");
        }
    }
    assert!(ended(&mut kept).await >= HEAD_LIMIT - Duration::from_secs(1));
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off_all_the_same() {
    let system = System::start().await;
    let mut stream = TcpStream::connect(system.api.address).await.unwrap();
    let started = Instant::now();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nx: ")
        .await
        .unwrap();
    while stream.write_all(b"y").await.is_ok() {
        assert!(started.elapsed() < HEAD_LIMIT + MACHINE, "still open");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_call_that_takes_longer_than_the_limit_on_its_head_is_answered() {
    let system = System::with("", HEAD_LIMIT + Duration::from_secs(1)).await;
    assert_eq!(system.api.get("/naive/process").await.status(), 200);
}

#[tokio::test]
async fn a_client_that_asks_and_asks_and_never_reads_is_dropped() {
    let system = System::start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(system.api.address).await.unwrap();
    let page = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let started = Instant::now();
    let dropped = async { while stream.write_all(page).await.is_ok() {} };
    timeout(Duration::from_secs(20), dropped)
        .await
        .expect("it is still open");
    assert!(started.elapsed() > Duration::from_secs(5), "too soon");
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_of_events_that_takes_none_is_dropped() {
    let system = System::start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(system.api.address).await.unwrap();
    let events = b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(events).await.unwrap();
    let started = Instant::now();
    // Each call is a change that the page is told of. What is sent beside it shows whether anybody is there.
    while stream.write_all(b"\r\n").await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(90), "still open");
        system.api.get("/process").await;
        sleep(Duration::from_millis(200)).await;
    }
    let mut reader = Events::of(system.api.get("/events").await);
    assert!(reader.next().await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_there_are_files_leave_the_service_alive() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let _service = Command::new("sh")
        .args(["-c", "ulimit -n 256; exec \"$0\""])
        .arg(env!("CARGO_BIN_EXE_holdfast-api"))
        .current_dir(folder.path())
        .env("HOLDFAST_BIND", address.to_string())
        .env("HOLDFAST_WORKER_URL", "http://127.0.0.1:1")
        .env("DATABASE_URL", "postgres://u:p@127.0.0.1:1/holdfast")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let started = Instant::now();
    while probe::ready(address, PROBE_LIMIT).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    }
    let mut held = Vec::new();
    for _ in 0..400 {
        held.push(TcpStream::connect(address).await.unwrap());
        held.last_mut().unwrap().write_all(b"G").await.unwrap();
    }
    probe::ready(address, PROBE_LIMIT).await.unwrap();
    // Busy ones are not closed for others; those of a few calls that wait for a body are always left room for.
    let body = b"POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n";
    let mut bodies = Vec::new();
    for _ in 0..400 {
        bodies.push(TcpStream::connect(address).await.unwrap());
        let _ = bodies.last_mut().unwrap().write_all(body).await;
    }
    for _ in 0..10 {
        probe::ready(address, PROBE_LIMIT).await.unwrap();
    }
}
