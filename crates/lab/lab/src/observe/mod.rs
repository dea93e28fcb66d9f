//! Whether what an operator would look at shows anything: a real Prometheus scrapes a system of its own under load while
//! its worker is killed and comes back, and then every query of the dashboard must find data.
//!
//! Prometheus reads the repository's own files, with other addresses and shorter intervals in their place. Metrics,
//! rules and the rules' tests are held against promtool as well.

mod config;
mod dashboard;
mod promtool;
mod server;

use std::fs;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use self::dashboard::Query;
use self::server::{Range, Server};
use crate::error::LabError;
use crate::guard::{Guard, Guarded};
use crate::load::{self, Arrivals, Arriving};
use crate::output::{Console, Tone};
use crate::own_folder::OwnFolder;
use crate::ports;
use crate::settings::{Ports, Settings};
use crate::stage::{Local, Probe, Service};

/// Quick ones: a breaker of the defaults may stay open for longer than the whole run.
const POLICIES: &str = holdfast_experiment::torture::POLICIES;
const WORK_DELAY: &str = "300ms";
const RATE: f64 = 20.0;
const HEALTHY: Duration = Duration::from_secs(6);
const DEAD: Duration = Duration::from_secs(8);
const AFTERWARDS: Duration = Duration::from_secs(10);
/// Longer than the bound of those policies.
const TRY_FOR: Duration = Duration::from_secs(8);
const DASHBOARD: &str = "grafana/dashboards/holdfast.json";
/// Without this the run has shown no outage, and what the queries found means nothing.
const OUTAGE: &str =
    "max_over_time(holdfast_breaker_state{dependency=\"worker\",state=\"open\"}[1m]) == 1";

/// Plays, asks and judges; whether nothing was amiss. Whatever happens, nothing it started goes on.
///
/// # Errors
/// When it could not be played, or was interrupted.
pub async fn run(settings: &Settings, console: Console) -> Result<bool, LabError> {
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    promtool::ensure(settings, console).await?;
    let files = settings.root.join("deploy/observe");
    let queries = queries(&files.join(DASHBOARD))?;
    let amiss = promtool::check_files(&files).await?;
    if !amiss.is_empty() {
        // Prometheus may not even start with them, and its complaint would hide these.
        return Ok(report(&amiss, queries.len(), console));
    }
    let _guard = Guard::post(Guarded::Processes)?;
    let folder = OwnFolder::make("observe", settings, console).await?;
    let own = own_stage(settings, folder.path())?;
    let stage = Local::new(&own, folder.path().to_owned(), console);
    if let Err(error) = stage.up().await {
        return Err(folder.left_by(error).into());
    }
    let result = tokio::select! {
        result = observe(&stage, own.ports, &files, &queries, folder.path(), console) => result,
        _ = signals.next() => Err(SystemError::Interrupted.into()),
    };
    stage.down().await?;
    Ok(report(&result?, queries.len(), console))
}

/// Ports that nobody uses, and a system that recovers within seconds.
fn own_stage(settings: &Settings, folder: &Path) -> Result<Settings, LabError> {
    let free = || ports::free().map_err(SystemError::file("find", "a free port"));
    let policies = folder.join("policies.toml");
    fs::write(&policies, POLICIES).map_err(SystemError::file("write", &policies))?;
    let mut own = Settings {
        ports: Ports {
            api: free()?,
            worker: free()?,
            db: free()?,
        },
        ..settings.clone()
    };
    let policies = policies.to_string_lossy().into_owned();
    own.passed_on.extend([
        ("HOLDFAST_POLICIES".to_owned(), policies),
        ("HOLDFAST_WORK_DELAY".to_owned(), WORK_DELAY.to_owned()),
    ]);
    Ok(own)
}

fn queries(dashboard: &Path) -> Result<Vec<Query>, SystemError> {
    let text = fs::read_to_string(dashboard).map_err(SystemError::file("read", dashboard))?;
    dashboard::queries(&text).map_err(|problem| SystemError::Program {
        command: format!("reading {}", dashboard.display()),
        output: problem,
    })
}

/// What is amiss, seen from a Prometheus that watched the run.
async fn observe(
    stage: &Local,
    ports: Ports,
    files: &Path,
    queries: &[Query],
    folder: &Path,
    console: Console,
) -> Result<Vec<String>, LabError> {
    let server = Server::start(folder, files, ports).await?;
    let start = Timestamp::now();
    play(stage, ports, console).await?;
    let range = Range {
        start,
        end: Timestamp::now(),
    };
    console.say(format_args!("  asking {} queries", queries.len()));
    let mut findings = Vec::new();
    for query in queries {
        let found = server.finds(&query.expr, range).await;
        findings.extend(found.err().map(|problem| format!("{query}: {problem}")));
    }
    if let Err(problem) = server.finds(OUTAGE, range).await {
        findings.push(format!(
            "the worker's breaker was never seen open: {problem}"
        ));
    }
    findings.extend(server.ailing_rules().await?);
    for port in [ports.api, ports.worker] {
        let exposition = Probe::new(port).metrics().await.unwrap_or_default();
        findings.extend(promtool::check_metrics(&exposition).await?);
    }
    Ok(findings)
}

/// A steady load; meanwhile the worker is killed, and some seconds later it is back.
async fn play(stage: &Local, ports: Ports, console: Console) -> Result<(), LabError> {
    let arriving = Arriving {
        rate: RATE,
        lasts: HEALTHY + DEAD + AFTERWARDS,
        arrivals: Arrivals::Constant,
        seed: 1,
    };
    let urls = vec![Probe::new(ports.api).base().to_owned()];
    let plan = load::Plan::balanced(urls, arriving, TRY_FOR);
    console.say(format_args!(
        "  {RATE} requests/s for {:?}; after {HEALTHY:?} the worker is dead for {DEAD:?}",
        arriving.lasts
    ));
    let outage = async {
        sleep(HEALTHY).await;
        stage.kill(Service::Worker).await?;
        sleep(DEAD).await;
        stage.start(Service::Worker).await
    };
    let load = load::run(&plan, Instant::now(), pending(), |_| Ok(()));
    let (outage, outcomes) = tokio::join!(outage, load);
    outage?;
    outcomes?;
    Ok(())
}

fn report(findings: &[String], queries: usize, console: Console) -> bool {
    for finding in findings {
        console.print(format_args!(
            "{} {finding}",
            console.paint(Tone::Bad, "amiss:")
        ));
    }
    if findings.is_empty() {
        console.print(format_args!(
            "all {queries} queries of the dashboard found data; metrics, rules and their tests pass promtool"
        ));
    }
    findings.is_empty()
}
