//! Torture: the system under load while everything in it is killed, paused and healed at random moments; then the account.
//!
//! Everything random follows from one seed. The system is one of its own, in a temporary folder on free ports; a stage that
//! is up is left alone. It has policies of its own: the defaults keep a breaker open for up to thirty seconds, in which a
//! minute's outages would all look like one.

mod afterwards;
mod deployment;
mod evidence;
mod player;
mod quiescent;
mod report;
mod schedule;
mod verdict;
pub mod worker;

use std::future::pending;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use tokio::time::Instant;

pub use deployment::POLICIES;
use deployment::{BOUND, Deployment};
use evidence::{Evidence, Outage, take_lost_by_failover};
use player::Played;
use schedule::{Fault, schedule};

use crate::accepted::{self, Accepted, AcceptedFile};
use crate::error::ExperimentError;
use crate::guard::{Guard, Guarded};
use crate::load::{self, Arrivals, Arriving, CallHistory};
use crate::output::{Console, Tone};
use crate::run_dir::RunDir;
use crate::settings::Settings;
use crate::settle::settle;

/// How long past the bound a client waits for one answer.
const BEYOND: Duration = Duration::from_secs(2);

/// Leases run out, journals are replayed, and what is open is worked off: each takes seconds.
const SETTLE: Duration = Duration::from_secs(120);

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long requests arrive and faults are played.
    pub duration: Duration,
    /// Of the faults and the arrivals.
    pub seed: u64,
    /// APIs on the same database.
    pub replicas: usize,
    /// Requests per second.
    pub rate: f64,
    /// How long all that was accepted may take to be done, once all is healed; none: two minutes.
    pub settle: Option<Duration>,
    /// Keep the folder also when all went well.
    pub keep: bool,
}

/// What the clients and the targets went through.
struct Run {
    histories: Vec<CallHistory>,
    played: Vec<Played>,
}

/// Plays the plan and judges; whether every promise was kept. Whatever happens, nothing it started goes on.
///
/// # Errors
/// When it could not be played, or was interrupted.
pub async fn run(
    plan: &Plan,
    settings: &Settings,
    console: Console,
) -> Result<bool, ExperimentError> {
    let mut signals = StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
    let _guard = Guard::post(Guarded::Processes)?;
    let mut folder = RunDir::make("torture", settings, console).await?;
    let faults = schedule(plan.seed, plan.duration, plan.replicas);
    announce(plan, &faults, console);
    let deployment = tokio::select! {
        deployment = Deployment::start(folder.path(), plan.replicas, settings) => deployment,
        _ = signals.next() => return Err(SystemError::Interrupted.into()),
    };
    let mut deployment = match deployment {
        Ok(deployment) => deployment,
        Err(error) => return Err(folder.left_by(error).into()),
    };
    let evidence = tokio::select! {
        evidence = gather(plan, &faults, &mut deployment, console) => evidence,
        _ = signals.next() => Err(SystemError::Interrupted.into()),
    };
    deployment.end().await;
    let interrupted = evidence
        .as_ref()
        .is_err_and(ExperimentError::is_interrupted);
    let judged = evidence.and_then(|evidence| judge(&evidence, folder.path(), console));
    if plan.keep || !(interrupted || matches!(judged, Ok(true))) {
        folder.keep();
        report::kept(folder.path(), plan, console);
    }
    judged
}

fn announce(plan: &Plan, faults: &[Fault], console: Console) {
    console.say(format_args!(
        "seed {}: {} faults in {:?}, {} requests/s, {} replica(s) of the API",
        plan.seed,
        faults.len(),
        plan.duration,
        plan.rate,
        plan.replicas
    ));
    for fault in faults {
        console.say(console.paint(Tone::Faint, format_args!("  {fault}")));
    }
    console.say("");
}

/// Plays, heals, waits, and asks all there is to ask.
async fn gather(
    plan: &Plan,
    faults: &[Fault],
    deployment: &mut Deployment,
    console: Console,
) -> Result<Evidence, ExperimentError> {
    let published = deployment.published().await?;
    let try_for = BOUND + BEYOND;
    let arriving = Arriving {
        rate: plan.rate,
        lasts: plan.duration,
        arrivals: Arrivals::Poisson,
        seed: plan.seed,
    };
    let load = load::Plan::balanced(deployment.urls(), arriving, try_for);
    let mut file = AcceptedFile::append(&deployment.folder.join(accepted::FILE))?;
    let heard = |history: &CallHistory| history.accepted().map_or(Ok(()), |one| file.add(&one));
    let mut run = play(&load, faults, deployment, heard, console).await?;
    console.say("\nall faults are over: healing what is left, then waiting until all is done");
    let not_healed = deployment.heal().await;
    let left = settle(
        &deployment.system.apis(),
        plan.settle.unwrap_or(SETTLE),
        console,
    )
    .await;
    let database = deployment.system.database()?;
    let accepted: Vec<Accepted> = run
        .histories
        .iter()
        .filter_map(CallHistory::accepted)
        .collect();
    // Before anything is asked again: what that leaves behind is no part of the run.
    let mut tables = afterwards::tables(&accepted, &database).await;
    let outages: Vec<Outage> = run
        .played
        .iter()
        .flat_map(|it| it.outages.clone())
        .collect();
    let lost_by_failover = match &mut tables {
        Ok(tables) => take_lost_by_failover(&mut run.histories, &outages, tables),
        Err(_) => Vec::new(),
    };
    let worker_calls = deployment.worker_calls().await;
    let again = afterwards::again(&run.histories, &load).await;
    let calls_after = deployment.worker_calls().await.zip(worker_calls);
    let quiescent = quiescent::measure(deployment, try_for, plan.seed).await?;
    let fell = run.played.iter().filter_map(|it| it.fell.as_ref());
    let fell = fell.chain(&not_healed).chain(tables.as_ref().err());
    Ok(Evidence {
        replicas: plan.replicas,
        bound: BOUND,
        published,
        try_for,
        fell: fell
            .map(|error| format!("{error} {:?}", error.context()))
            .collect(),
        left,
        tables: tables.ok(),
        again,
        worker_calls,
        worker_calls_again: calls_after.map(|(after, before)| after.saturating_sub(before)),
        quiescent,
        outages,
        histories: run.histories,
        lost_by_failover,
    })
}

/// The faults of every target and the load, all from the same moment.
async fn play(
    load: &load::Plan,
    faults: &[Fault],
    deployment: &mut Deployment,
    heard: impl FnMut(&CallHistory) -> Result<(), SystemError>,
    console: Console,
) -> Result<Run, ExperimentError> {
    let epoch = Instant::now();
    let Deployment {
        system, players, ..
    } = deployment;
    let system = &*system;
    let parts = players.iter_mut().map(|player| {
        let own = |fault: &&Fault| fault.target == player.part;
        let own = faults.iter().filter(own).copied().collect();
        player.play(own, system, epoch, console)
    });
    let (played, histories) =
        tokio::join!(join_all(parts), load::run(load, epoch, pending(), heard));
    Ok(Run {
        histories: histories?.histories,
        played,
    })
}

/// Shows the figures and the verdict, and leaves both in the folder.
fn judge(evidence: &Evidence, folder: &Path, console: Console) -> Result<bool, ExperimentError> {
    let violations = verdict::violations(evidence);
    report::figures(evidence, console);
    report::verdict(&violations, console);
    report::write(evidence, &violations, folder)?;
    Ok(violations.is_empty())
}
