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

use holdfast_system::error::SystemError;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use self::dashboard::Query;
use self::server::{Range, Server};
use crate::alone::alone;
use crate::error::LabError;
use crate::load::{self, Arrivals, Arriving};
use crate::output::{Console, Tone};
use crate::settings::Settings;
use crate::stage::Service;
use crate::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};

/// Quick ones: a breaker of the defaults may stay open for longer than the whole run.
const POLICIES: &str = holdfast_experiment::torture::POLICIES;
const WORK_DELAY: Duration = Duration::from_millis(300);
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

/// Plays, asks and judges; whether nothing was amiss.
pub(crate) async fn run(settings: &Settings, console: Console) -> Result<bool, LabError> {
    // Its package has promtool too.
    let needs = Some("prometheus");
    alone("observe-check", needs, settings, console, async |folder| {
        let files = settings.root.join("deploy/observe");
        let queries = queries(&files.join(DASHBOARD))?;
        let amiss = promtool::check_files(&files).await?;
        if !amiss.is_empty() {
            // Prometheus may not even start with them, and its complaint would hide these.
            return Ok(report(&amiss, queries.len(), console));
        }
        let system = System::start_in(folder, &spec(), settings).await?;
        let findings = observe(&system, &files, &queries, console).await;
        let left = system.lower().await;
        let findings = findings?;
        if !left.is_empty() {
            return Err(SystemError::NotRolledBack(left).into());
        }
        Ok(report(&findings, queries.len(), console))
    })
    .await
}

/// One that recovers within seconds.
fn spec() -> SystemSpec {
    let api = ApiSpec::new(Service::Api.name(), POLICIES);
    SystemSpec::new(WorkerSpec::new(WORK_DELAY), vec![api])
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
    system: &System,
    files: &Path,
    queries: &[Query],
    console: Console,
) -> Result<Vec<String>, LabError> {
    let folder = system.folder();
    let server = Server::start(&folder, files, system).await?;
    let start = Timestamp::now();
    play(system, console).await?;
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
    for part in [Part::Api(0), Part::Worker] {
        let exposition = system.client(part)?.metrics().await.unwrap_or_default();
        findings.extend(promtool::check_metrics(&exposition, &folder).await?);
    }
    Ok(findings)
}

/// A steady load; meanwhile the worker is killed, and some seconds later it is back.
async fn play(system: &System, console: Console) -> Result<(), LabError> {
    let arriving = Arriving {
        rate: RATE,
        lasts: HEALTHY + DEAD + AFTERWARDS,
        arrivals: Arrivals::Constant,
        seed: 1,
    };
    let urls = vec![system.client(Part::Api(0))?.base().to_owned()];
    let plan = load::Plan::balanced(urls, arriving, TRY_FOR);
    console.say(format_args!(
        "  {RATE} requests/s for {:?}; after {HEALTHY:?} the worker is dead for {DEAD:?}",
        arriving.lasts
    ));
    let outage = async {
        sleep(HEALTHY).await;
        system.kill(Part::Worker).await?;
        sleep(DEAD).await;
        system.start(Part::Worker).await
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
