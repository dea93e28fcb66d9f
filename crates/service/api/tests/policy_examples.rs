//! The examples of the policy crate, run with cargo as their reader runs them: against the real worker and a real
//! Postgres, and against what is dead or silent, where they must say so within the deadline of their policy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

#[path = "api/support/worker.rs"]
mod worker;

use std::path::Path;
use std::time::Duration;

use holdfast_policy::PolicyConfig;
use holdfast_testbed::ports::loopback;
use holdfast_testbed::postgres::Cluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use worker::spawn_worker;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy/examples");
/// An example fits on a screen.
const MAX_LINES: usize = 40;
/// What cargo may take, on a busy machine, to see that nothing is left to build.
const CARGO: Duration = Duration::from_secs(10);

/// The policy that the examples share.
fn policy() -> PolicyConfig {
    let text = std::fs::read_to_string(Path::new(EXAMPLES).join("policy.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

/// `cargo SUBCOMMAND … ARGUMENTS` on the package of the examples; returns what it printed.
async fn cargo(subcommand: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args([subcommand, "--quiet", "--locked"])
        .args(["--package", "holdfast-policy"])
        .args(arguments)
        .current_dir(EXAMPLES)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What an example prints. The first to ask has all of them built.
async fn run(example: &str, arguments: &[&str]) -> String {
    static BUILT: OnceCell<String> = OnceCell::const_new();
    BUILT.get_or_init(|| cargo("build", &["--examples"])).await;

    let line = [&["--example", example, "--"], arguments].concat();
    timeout(policy().deadline + CARGO, cargo("run", &line))
        .await
        .expect("still running after the policy's deadline")
}

/// Asserts that an example printed this failure, and a time within the deadline of its policy: `FAILURE0.123 s)`.
fn assert_failed(said: &str, failure: &str) {
    let took = said
        .strip_prefix(failure)
        .and_then(|rest| rest.strip_suffix(" s)\n"))
        .unwrap_or_else(|| panic!("{said}"));
    let took: f64 = took.parse().unwrap();
    assert!(took <= policy().deadline.as_secs_f64(), "{said}");
}

#[tokio::test]
async fn the_http_example_prints_the_workers_answer() {
    let worker = spawn_worker(Duration::from_millis(50));
    let said = run("http", &[&format!("http://{worker}/work")]).await;
    assert_eq!(said, "answered: {\"status\":\"done\"}\n");
}

#[tokio::test]
async fn the_http_example_says_of_a_dead_port_that_three_attempts_failed() {
    // Bound, so that nobody else can listen there, and not listening.
    let dead = TcpSocket::new_v4().unwrap();
    dead.bind(loopback(0)).unwrap();
    let url = format!("http://{}/", dead.local_addr().unwrap());
    let said = run("http", &[&url]).await;
    let failure = format!("http: error sending request for url ({url}) (3 attempts in ");
    assert_failed(&said, &failure);
}

#[tokio::test]
async fn the_http_example_gives_up_on_a_server_that_accepts_and_never_answers() {
    let silent = TcpListener::bind(loopback(0)).await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let said = run("http", &[&url]).await;
    let failure = "http: no answer within the attempt timeout (2 attempts in ";
    assert_failed(&said, failure);
}

#[tokio::test]
async fn the_stream_example_sends_its_file_again_when_an_answer_stops_half_way() {
    let server = TcpListener::bind(loopback(0)).await.unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "an order").unwrap();
    let served = tokio::spawn(async move {
        let half = answer(&server, "5\r\nwhole\r\n").await;
        let whole = answer(&server, "5\r\nwhole\r\n0\r\n\r\n").await;
        [half, whole]
    });
    let said = run("stream", &[&url, file.path().to_str().unwrap()]).await;
    assert_eq!(said, "answered: 5 bytes\n");
    for request in served.await.unwrap() {
        assert!(request.ends_with("8\r\nan order\r\n0\r\n\r\n"), "{request}");
    }
}

/// Takes one streamed request, answers with this much of a streamed body and hangs up; what was asked.
async fn answer(server: &TcpListener, body: &str) -> String {
    let (mut client, _) = server.accept().await.unwrap();
    let mut request = String::new();
    while !request.ends_with("0\r\n\r\n") {
        let mut bytes = [0; 1024];
        let read = client.read(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "it hung up after {request}");
        request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    client
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
    request
}

#[tokio::test]
async fn the_postgres_example_prints_the_version_unless_the_server_is_dead() {
    let mut cluster = Cluster::start().await.unwrap();
    let healthy = run("postgres", &[&cluster.url()]).await;
    assert!(healthy.starts_with("answered: PostgreSQL "), "{healthy}");

    cluster.kill().await.unwrap();
    let said = run("postgres", &[&cluster.url()]).await;
    assert_failed(&said, "db: error connecting to server (3 attempts in ");

    cluster.start_again().await.unwrap();
    assert_eq!(run("postgres", &[&cluster.url()]).await, healthy);
}

#[tokio::test]
async fn the_service_example_shows_an_answer_and_then_the_open_breaker() {
    let said = run("service", &[]).await;
    let refusal = "an apple costs 3\n\
        circuit_open: shop: not called: its circuit breaker is open; try again in ";
    assert!(said.starts_with(refusal), "{said}");
    assert_eq!(said.lines().count(), 2);
}

#[test]
fn every_example_fits_on_a_screen() {
    let mut examples = 0;
    for entry in std::fs::read_dir(EXAMPLES).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= MAX_LINES, "{} has {lines}", path.display());
            examples += 1;
        }
    }
    assert_eq!(examples, 4);
}
