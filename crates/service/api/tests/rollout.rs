//! A rolling restart of three replicas, as an orchestrator does it, on real processes: each successor is started on the journal
//! of its predecessor and waits for it, and who balances goes by `/readyz` alone.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says bluntly what it expects, and a long one what it saw"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_ops::probe;
use holdfast_testbed::postgres::Cluster;
use holdfast_wire::{Processed, ProcessedStatus};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

const REPLICAS: usize = 3;
const CALLS: u32 = 10_000;
/// Callers that go on without a pause, to learn what all replicas together can do, and for how long.
const CALLERS: usize = 64;
const MEASURED_FOR: Duration = Duration::from_secs(3);
/// How often a balancer asks: several times within the notice that a replica gives.
const ASKED_EVERY: Duration = Duration::from_millis(100);
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// Its predecessor drains meanwhile.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// Three of 31 fit into the 97 sessions that Postgres grants. The limit does not adapt: a machine that builds and tests at the same
/// time looks like a worker that is overloaded.
const POLICIES: &str =
    "[database]\npool = { max_size = 12, replicas = 3 }\n[worker.bulkhead]\nadaptive = false\n";

/// One process of one replica.
struct Process {
    child: Child,
    address: SocketAddr,
}

/// What all replicas share, and where each is now.
struct Service {
    folder: TempDir,
    worker: SocketAddr,
    database: Cluster,
    balancer: Arc<Balancer>,
}

/// Sends each call to the next of those that are ready.
struct Balancer {
    http: reqwest::Client,
    /// All processes that may answer, and whether each was ready when it was asked last.
    known: Mutex<BTreeMap<SocketAddr, bool>>,
    next: Mutex<usize>,
}

impl Process {
    /// Started, not awaited: a predecessor may still have the journal.
    async fn start(service: &Service, replica: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let folder = service.folder.path();
        let child = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .env("HOLDFAST_BIND", address.to_string())
            .env("HOLDFAST_WORKER_URL", format!("http://{}", service.worker))
            .env("DATABASE_URL", service.database.url())
            .env("HOLDFAST_POLICIES", folder.join("policies.toml"))
            .env("HOLDFAST_JOURNAL_DIR", journal(folder, replica))
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        tokio::spawn(service.balancer.clone().keep_asking(address));
        Self { child, address }
    }

    async fn is_ready(&self) {
        let started = Instant::now();
        while probe::ready(self.address, ANSWERED_WITHIN).await.is_err() {
            assert!(started.elapsed() < READY_WITHIN, "it never became ready");
            sleep(ASKED_EVERY).await;
        }
    }

    async fn ends_well(mut self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        kill_process(pid.and_then(Pid::from_raw).unwrap(), Signal::TERM).unwrap();
        let ended = timeout(READY_WITHIN, self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

fn journal(folder: &Path, replica: usize) -> std::path::PathBuf {
    folder.join(format!("journal-{replica}"))
}

impl Balancer {
    /// Of one process, for ever: one that hangs must not delay what is known of the others.
    async fn keep_asking(self: Arc<Self>, address: SocketAddr) {
        loop {
            let is_ready = probe::ready(address, ANSWERED_WITHIN).await.is_ok();
            self.known.lock().unwrap().insert(address, is_ready);
            sleep(ASKED_EVERY).await;
        }
    }

    fn choose(&self) -> SocketAddr {
        let known = self.known.lock().unwrap();
        let ready: Vec<_> = known.iter().filter(|(_, is_ready)| **is_ready).collect();
        let mut next = self.next.lock().unwrap();
        *next += 1;
        *ready[*next % ready.len()].0
    }

    /// Whether it was answered as if nothing happened; else what came instead.
    async fn call(&self) -> Result<(), String> {
        let url = format!("http://{}/process", self.choose());
        let answer = self.http.get(url).send().await;
        let answer = answer.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
        let body = serde_json::from_str::<Processed>(&text);
        let whole = body.is_ok_and(|body| body.status == ProcessedStatus::Ok);
        if status == 200 && whole {
            return Ok(());
        }
        Err(format!("{status}: {text}"))
    }

    /// What all ready replicas can do, per second.
    async fn capacity(&self) -> f64 {
        let until = Instant::now() + MEASURED_FOR;
        let callers = (0..CALLERS).map(|_| async {
            let mut done = 0_u32;
            while Instant::now() < until {
                self.call().await.unwrap();
                done += 1;
            }
            done
        });
        let done: u32 = join_all(callers).await.into_iter().sum();
        f64::from(done) / MEASURED_FOR.as_secs_f64()
    }

    /// Calls at this rate, whatever becomes of them; what was not answered as if nothing happened.
    async fn load(self: Arc<Self>, rate: f64) -> Vec<String> {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
        let mut calls = JoinSet::new();
        for _ in 0..CALLS {
            ticks.tick().await;
            let balancer = self.clone();
            calls.spawn(async move { balancer.call().await });
        }
        let outcomes = calls.join_all().await;
        outcomes.into_iter().filter_map(Result::err).collect()
    }
}

impl Service {
    async fn start() -> (Self, Vec<Process>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policies.toml"), POLICIES).unwrap();
        let balancer = Arc::new(Balancer {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            known: Mutex::default(),
            next: Mutex::default(),
        });
        let service = Self {
            folder,
            worker: worker(),
            database: Cluster::start().await.unwrap(),
            balancer,
        };
        let mut processes = Vec::new();
        for replica in 0..REPLICAS {
            let process = Process::start(&service, replica).await;
            process.is_ready().await;
            processes.push(process);
        }
        sleep(ASKED_EVERY * 2).await;
        (service, processes)
    }

    /// One replica after the other.
    async fn roll(&self, processes: Vec<Process>) -> Vec<Process> {
        let mut successors = Vec::new();
        for (replica, old) in processes.into_iter().enumerate() {
            let new = Process::start(self, replica).await;
            old.ends_well().await;
            new.is_ready().await;
            // Until who balances has seen it.
            sleep(ASKED_EVERY * 2).await;
            successors.push(new);
        }
        successors
    }
}

fn worker() -> SocketAddr {
    let settings = holdfast_worker::Settings {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        work_delay: Duration::from_millis(20),
        capacity: None,
        warmup: Duration::ZERO,
    };
    let worker = holdfast_worker::Application::build(settings).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], worker.port()));
    tokio::spawn(worker.run_until_stopped(std::future::pending()));
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of load; make rollout"]
async fn a_rolling_restart_at_half_load_degrades_and_loses_no_call() {
    let (service, processes) = Service::start().await;
    let capacity = service.balancer.capacity().await;
    let rate = capacity / 2.0;
    let load = tokio::spawn(service.balancer.clone().load(rate));
    let started = Instant::now();
    let successors = service.roll(processes).await;
    let rolled = started.elapsed();
    assert!(!load.is_finished(), "the load ended before the restarts");
    let others = load.await.unwrap();
    eprintln!(
        "rollout: {REPLICAS} replicas in {rolled:.1?} at {rate:.0} of {capacity:.0} calls a second; \
         of {CALLS} calls {} were not a whole 200",
        others.len()
    );
    assert!(
        others.is_empty(),
        "{:#?}",
        others.iter().take(5).collect::<Vec<_>>()
    );
    drop(successors);
}
