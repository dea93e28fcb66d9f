//! The API's log as an operator has it: the binary's standard output.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

mod secrets;

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_ops::probe;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_secs(10);
/// The default policies' bound, and the notice it gives before it stops.
const STOPS_WITHIN: Duration = Duration::from_secs(12);

/// The binary, with neither a worker nor a database.
struct Service {
    child: Child,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Service {
    async fn start(
        folder: &Path,
        variables: &[(&str, &str)],
        [stdout, stderr]: [Stdio; 2],
    ) -> Self {
        let [address, worker, database] = [free().await, free().await, free().await];
        let child = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .current_dir(folder)
            .env("HOLDFAST_BIND", address.to_string())
            .env("HOLDFAST_WORKER_URL", format!("http://{worker}"))
            .env(
                "DATABASE_URL",
                format!("postgres://holdfast:holdfast@{database}/holdfast"),
            )
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while probe::ready(address, LIMIT).await.is_err() {
            assert!(started.elapsed() < LIMIT, "it never became ready");
            sleep(Duration::from_millis(20)).await;
        }
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            child,
            address,
            http,
        }
    }

    /// `count` calls, fifty at once; each must be answered.
    async fn call(&self, path: &str, count: usize) {
        let url = format!("http://{}{path}", self.address);
        for _ in 0..count / 50 {
            let calls = (0..50).map(|_| self.http.get(&url).send());
            for answer in join_all(calls).await {
                timeout(LIMIT, answer.unwrap().bytes())
                    .await
                    .unwrap()
                    .unwrap();
            }
        }
    }

    async fn stop(&mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
        timeout(STOPS_WITHIN, self.child.wait())
            .await
            .unwrap()
            .unwrap()
    }
}

async fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// A service that logs to a file of its own.
async fn logging(variables: &[(&str, &str)]) -> (Service, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let log = File::create(folder.path().join("log")).unwrap();
    let output = [log.try_clone().unwrap().into(), log.into()];
    let service = Service::start(folder.path(), variables, output).await;
    (service, folder)
}

fn lines(folder: &TempDir) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let line =
        |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    text.lines().map(line).collect()
}

fn saying<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines
        .iter()
        .filter(|line| line["message"] == message)
        .collect()
}

#[tokio::test]
async fn a_storm_of_failing_calls_writes_a_bounded_number_of_lines_and_says_how_many_it_left_out() {
    let (mut service, folder) = logging(&[]).await;
    let started = Instant::now();
    service.call("/naive/process", 10_000).await;
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    assert!(service.stop().await.success());

    let lines = lines(&folder);
    let written = saying(&lines, "the naive endpoint fell over");
    assert!(
        (5..=5 * (seconds + 1)).contains(&written.len()),
        "{}",
        written.len()
    );
    let told = lines
        .iter()
        .filter(|line| line["line"] == "the naive endpoint fell over");
    let left_out: u64 = told.map(|line| line["count"].as_u64().unwrap()).sum();
    assert_eq!(left_out, 10_000 - written.len() as u64);
    assert_eq!(
        saying(&lines, "stopped").len(),
        1,
        "the last lines were lost"
    );
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_costs_lines_and_no_answers_and_how_many_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let everything = [("RUST_LOG", "trace")];
    let mut service =
        Service::start(folder.path(), &everything, [Stdio::piped(), Stdio::null()]).await;
    let mut unread = service.child.stdout.take().unwrap();
    service.call("/livez", 5_000).await;

    let reading = tokio::spawn(async move {
        let mut text = String::new();
        unread.read_to_string(&mut text).await.unwrap();
        text
    });
    assert!(service.stop().await.success());
    let text = reading.await.unwrap();
    assert!(
        text.contains("lines were dropped"),
        "{} bytes, and none dropped",
        text.len()
    );
    assert!(text.contains("\"message\":\"stopped\""));
}

#[tokio::test]
async fn nobody_who_never_reads_holds_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let everything = [("RUST_LOG", "trace")];
    let mut service =
        Service::start(folder.path(), &everything, [Stdio::piped(), Stdio::null()]).await;
    service.call("/livez", 2_000).await;
    assert!(service.stop().await.success());
}

#[tokio::test]
async fn every_line_of_a_request_carries_its_ids_and_each_attempt_its_outcome() {
    let (mut service, folder) = logging(&[("RUST_LOG", "holdfast_api=debug")]).await;
    let url = format!("http://{}/process", service.address);
    let answer = service.http.get(url).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let (request, trace) = (header("x-request-id"), header("x-trace-id"));
    assert!(service.stop().await.success());

    let mut lines = lines(&folder);
    // Recovery looks at the database as well, on nobody's behalf.
    lines.retain(|line| line["spans"][0]["name"] == "request");
    let failed = saying(&lines, "call failed");
    assert!(!failed.is_empty());
    for line in failed {
        assert_eq!(line["spans"][0]["request_id"], request);
        assert_eq!(line["spans"][0]["trace_id"], trace);
        assert_eq!(line["spans"][1]["name"], "call");
    }
    let attempts = saying(&lines, "attempt over");
    let worker = attempts
        .iter()
        .filter(|it| it["spans"][1]["dependency"] == "worker");
    let numbers: Vec<_> = worker
        .map(|it| {
            assert_eq!(it["span"]["outcome"], "failure", "{it}");
            it["span"]["number"].as_u64().unwrap()
        })
        .collect();
    let calls = saying(&lines, "call over");
    let failed = calls.iter().filter(|it| it["span"]["outcome"] == "failed");
    let worker = failed.filter(|it| it["span"]["dependency"] == "worker");
    let attempts: Vec<_> = worker.map(|it| it["span"]["attempts"].as_u64()).collect();
    assert_eq!(attempts, [numbers.last().copied()]);
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_format_can_be_chosen_and_a_bad_one_is_refused() {
    let (mut service, folder) = logging(&[("HOLDFAST_LOG_FORMAT", "pretty")]).await;
    assert!(service.stop().await.success());
    let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(text.contains("INFO holdfast_api: api started"), "{text}");

    let refused = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
        .env("HOLDFAST_LOG_FORMAT", "xml")
        .output()
        .await
        .unwrap();
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("HOLDFAST_LOG_FORMAT=\"xml\""));
}
