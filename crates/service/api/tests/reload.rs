//! The policy file read again by the API's own process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use holdfast_ops::probe;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_secs(10);
/// The worker's breaker opens at the first failure and stays open for the whole test; Postgres is not there, the journal
/// records.
const FILE: &str = "[worker]\nretry = { max_attempts = 1 }\n\
    breaker = { consecutive_failures = 1, open_for = \"10m\", max_open_for = \"10m\" }\n";

/// The binary, with neither a worker nor a database.
struct Service {
    child: Child,
    base: String,
    folder: TempDir,
}

impl Service {
    async fn start(policies: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policies.toml"), policies).unwrap();
        let [address, worker, database] = [free().await, free().await, free().await];
        let child = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .current_dir(folder.path())
            .env("HOLDFAST_BIND", address.to_string())
            .env("HOLDFAST_WORKER_URL", format!("http://{worker}"))
            .env("DATABASE_URL", format!("postgres://u:p@{database}/x"))
            .env("HOLDFAST_POLICIES", "policies.toml")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while probe::ready(address, LIMIT).await.is_err() {
            assert!(started.elapsed() < LIMIT, "it never became ready");
            sleep(Duration::from_millis(20)).await;
        }
        let base = format!("http://{address}");
        Self {
            child,
            base,
            folder,
        }
    }

    fn file(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("policies.toml")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.base)).send().await;
        answer.unwrap().json().await.unwrap()
    }

    /// Has this file read, and what `/policies` then says.
    async fn reload(&self, policies: &str) -> Value {
        std::fs::write(self.file(), policies).unwrap();
        self.read_again().await
    }

    async fn read_again(&self) -> Value {
        let before = self.get("/policies").await["reloads"]["count"].clone();
        self.signal(Signal::HUP);
        let started = Instant::now();
        loop {
            let now = self.get("/policies").await;
            if now["reloads"]["count"] != before {
                return now;
            }
            assert!(started.elapsed() < LIMIT, "it was not read again");
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn worker(&self) -> Value {
        self.get("/status").await["dependencies"]["worker"].clone()
    }
}

async fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn a_good_file_holds_for_new_calls_and_the_open_breaker_stays_open() {
    let service = Service::start(FILE).await;
    assert_eq!(service.get("/process").await["status"], "degraded");
    let opened = service.worker().await;
    assert_eq!(opened["breaker"], "open");

    let changed = service
        .reload(
            "[worker]\ndeadline = \"4s\"\non_unavailable = \"reject\"\n\
             breaker = { consecutive_failures = 1, open_for = \"5m\", max_open_for = \"10m\" }\n\
             [process]\nmax_in_flight = 7\n",
        )
        .await;
    assert_eq!(changed["reloads"]["refused"], Value::Null);
    assert_eq!(changed["process"]["worst_case_seconds"], 6.5);
    assert_eq!(changed["process"]["max_in_flight"], 7);
    assert_eq!(changed["policies"]["worker"]["deadline"], "4s");
    let still = service.worker().await;
    assert_eq!(still["breaker"], "open");
    assert_eq!(still["opened_because"], opened["opened_because"]);
    let refused = service.get("/process").await;
    assert_eq!(refused["code"], "worker_unavailable", "{refused}");
    assert_eq!(refused["degraded"][0]["reason"], "circuit_open");
}

#[tokio::test]
async fn a_file_that_cannot_be_is_told_and_changes_nothing_and_the_next_good_one_does() {
    let mut service = Service::start(FILE).await;
    let before = service.get("/policies").await;
    for (file, reason) in [
        ("[worker\n", "policies.toml: line 1: "),
        ("[worker]\ndeadlines = \"4s\"\n", "line 2: worker.deadlines"),
        (
            "[worker]\nattempt_timeout = \"6s\"\n",
            "must not be above deadline",
        ),
        (
            "[recovery]\nlease = \"8s\"\n",
            "must be above the worst case",
        ),
        (
            "[database]\npool = { max_size = 4 }\n",
            "database.pool has changed: it takes effect only when the API is started again",
        ),
    ] {
        let after = service.reload(file).await;
        let told = after["reloads"]["refused"].as_str().unwrap();
        assert!(told.contains(reason), "{file}: {told}");
        assert_eq!(after["policies"], before["policies"], "{file}");
        assert_eq!(after["process"], before["process"], "{file}");
    }
    std::fs::remove_file(service.file()).unwrap();
    let refused = service.read_again().await["reloads"]["refused"].clone();
    assert!(
        refused.as_str().unwrap().contains("policies.toml"),
        "{refused}"
    );
    let good = service.reload("[process]\nmax_in_flight = 9\n").await;
    assert_eq!(good["process"]["max_in_flight"], 9);
    assert_eq!(good["reloads"]["refused"], Value::Null);

    service.signal(Signal::TERM);
    let ended = timeout(LIMIT, service.child.wait()).await.unwrap();
    assert!(ended.unwrap().success());
}
