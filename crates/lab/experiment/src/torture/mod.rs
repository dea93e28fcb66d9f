//! Torture: an experiment whose faults are drawn at random, against several replicas; afterwards every promise is held against
//! the tables.
//!
//! Everything random follows from one seed. The system is one of its own, in a temporary folder on free ports, or on three
//! nodes, whose machines are what is broken; a stage that is up is left alone. It has policies of its own: the defaults keep a breaker open for up to thirty seconds, in which a
//! minute's outages would all look like one.

mod afterwards;
mod evidence;
mod nodes;
mod quiescent;
mod report;
mod schedule;
mod verdict;
pub mod worker;

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use holdfast_checker::durability::of_calls;
use holdfast_system::error::SystemError;
use holdfast_system::run_dir::RunDir;
use tokio::time::Instant;

use evidence::{Evidence, take_lost_by_failover};

use super::plan::{self, Experiment, Side};
use super::run::Outcome;
use super::under_load::{Audience, Scene};
use super::watch::Watcher;
use crate::accepted::{self, AcceptedFile};
use crate::error::ExperimentError;
use crate::guard::{Guarded, guarded};
use crate::load::{self, Arrivals, Arriving, CallHistory};
use crate::output::{Console, Tone};

use crate::settings::{Settings, StageKind};
use crate::settle::settle;
use crate::stage::Swarm;
use crate::system::{ApiSpec, Backend, Part, System, SystemSpec, WorkerSpec};

/// By which it recovers within seconds.
pub const POLICIES: &str = include_str!("policies.toml");
/// Within which those policies have every call answered: 2 * (1100 + 1000) + 1300 ms. What the API publishes is held to it.
const BOUND: Duration = Duration::from_millis(5_500);
/// Quick, so that a call's two seconds are not the bound of everything.
const WORK_DELAY: Duration = Duration::from_millis(300);
/// How long past the bound a client waits for one answer.
const BEYOND: Duration = Duration::from_secs(2);
/// Leases run out, journals are replayed, and what is open is worked off: each takes seconds.
const SETTLE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone)]
pub struct Plan {
    /// How long requests arrive and faults are played.
    pub duration: Duration,
    pub seed: u64,
    /// APIs on the same database; none: one, and on nodes one on each.
    pub replicas: Option<usize>,
    pub rate: f64,
    /// How long all that was accepted may take to be done, once all is healed; none: two minutes.
    pub settle: Option<Duration>,
    pub keep: bool,
}

/// Plays the plan and judges. Whatever happens, nothing it started goes on.
pub async fn run(
    plan: &Plan,
    settings: &Settings,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let stage = settings.stage.unwrap_or(StageKind::Local);
    let replicas = replicas(plan, stage)?;
    let faults = match stage {
        StageKind::Swarm => nodes::schedule(plan.seed, plan.duration),
        _ => schedule::schedule(plan.seed, plan.duration, replicas),
    };
    guarded(Guarded::of_experiments(stage), async {
        report::announce(plan, (stage, replicas), &faults, console);
        let backend = Backend::prepare(stage, settings, console).await?;
        let spec = spec(replicas, stage);
        let judged = play(plan, (stage, faults), (&backend, &spec), settings, console).await;
        if let Err(error) = backend.leave().await {
            console.say(format_args!("not all was taken down: {error}"));
        }
        judged
    })
    .await
}

/// On a system of its own, which ends whatever comes of it; what it leaves is in a folder that stays if that is wanted, or if
/// something was found.
async fn play(
    plan: &Plan,
    (stage, faults): (StageKind, Vec<plan::Fault>),
    (backend, spec): (&Backend, &SystemSpec),
    settings: &Settings,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let mut folder = RunDir::make("torture", settings, console).await?;
    let raised = match stage {
        StageKind::Swarm => backend.raise(spec, settings, console).await,
        _ => System::start_in(folder.path(), spec, settings).await,
    };
    let mut system = match raised {
        Ok(system) => system,
        Err(error) => return Err(folder.left_by(error).into()),
    };
    if plan.keep {
        // Also when it is interrupted.
        folder.keep();
    }
    let evidence = gather(plan, (stage, faults), (&system, folder.path()), console).await;
    let judged = evidence.and_then(|it| report::judge(&it, folder.path(), console));
    if plan.keep || !matches!(judged, Ok(Outcome::Held)) {
        if let Err(error) = system.leave_logs(folder.path()).await {
            console.say(format_args!("not all logs could be had: {error}"));
        }
        folder.keep();
        report::kept(folder.path(), plan, stage, console);
    }
    // What does not react is killed once more when it is dropped.
    drop(system.lower().await);
    judged
}

fn replicas(plan: &Plan, stage: StageKind) -> Result<usize, ExperimentError> {
    match (stage, plan.replicas) {
        (StageKind::Local, wanted) => Ok(wanted.unwrap_or(1)),
        (StageKind::Swarm, None) => Ok(Swarm::NODES.len()),
        (StageKind::Swarm, Some(_)) => Err(ExperimentError::NotTortured(
            "on a Swarm each of the three nodes has an API",
            "leave REPLICAS unset",
        )),
        (StageKind::Compose | StageKind::Virtual, _) => Err(ExperimentError::NotTortured(
            "torture plays on processes of its own, or on three nodes",
            "give STAGE=local or STAGE=swarm",
        )),
    }
}

/// A worker whose answers can be told apart, and replicas on the same database, each with a journal of its own. Nodes run
/// images, in which there is no worker but the real one.
fn spec(replicas: usize, stage: StageKind) -> SystemSpec {
    let worker = WorkerSpec {
        stand_in: Some(worker::COMMAND).filter(|_| stage == StageKind::Local),
        ..WorkerSpec::new(WORK_DELAY)
    };
    let apis = (0..replicas).map(|index| ApiSpec::new(Part::Api(index).to_string(), POLICIES));
    SystemSpec::new(worker, apis.collect())
}

fn experiment(load: &load::Plan, stage: StageKind, faults: Vec<plan::Fault>) -> Experiment {
    Experiment {
        name: "torture".to_owned(),
        title: "Everything broken at random: nothing accepted may be lost".to_owned(),
        question: String::new(),
        prediction: String::new(),
        stages: vec![stage],
        system: plan::System {
            work_delay: WORK_DELAY,
            ..plan::System::default()
        },
        load: load.load.clone(),
        faults,
        naive: Vec::new(),
        resilient: Vec::new(),
    }
}

/// Plays, heals, waits, and asks all there is to ask.
async fn gather(
    plan: &Plan,
    (stage, faults): (StageKind, Vec<plan::Fault>),
    (system, folder): (&System, &Path),
    console: Console,
) -> Result<Evidence, ExperimentError> {
    let mut published = Vec::new();
    for api in system.apis() {
        published.push(api.bound().await?);
    }
    let arriving = Arriving {
        rate: plan.rate,
        lasts: plan.duration,
        arrivals: Arrivals::Poisson,
        seed: plan.seed,
    };
    let apis = system.apis().into_iter();
    let urls: Vec<String> = apis.map(|api| api.base().to_owned()).collect();
    let load = load::Plan::balanced(urls.clone(), arriving, BOUND + BEYOND);
    let mut watcher = Watcher::of(system, Side::Resilient);
    let epoch = Instant::now();
    let witness = Witness {
        epoch,
        accepted: RefCell::new(AcceptedFile::append(&folder.join(accepted::FILE))?),
        console,
    };
    let experiment = experiment(&load, stage, faults);
    let scene = Scene {
        experiment: &experiment,
        load: &load,
        system,
        bound: BOUND,
    };
    let (mut trial, mut histories) = scene.play(&mut watcher, epoch, &witness).await?;
    console.say("\nall faults are over: healing what is left, then waiting until all is done");
    let mut not_healed = heal(system, urls.len(), stage).await;
    let left = settle(&system.apis(), plan.settle.unwrap_or(SETTLE), console).await;
    // Before anything is asked again: what that leaves behind is no part of the run.
    let tables = afterwards::tables(&histories, &system.database()?).await;
    not_healed.extend(tables.as_ref().err().map(told));
    let mut tables = tables.ok();
    let mut lost_by_failover = Vec::new();
    if let Some(tables) = &mut tables {
        trial.durability = of_calls(&trial.calls, tables.rows.clone());
        let (faults, seen) = (&experiment.faults, &trial.faults);
        lost_by_failover = take_lost_by_failover(&mut histories, faults, seen, tables);
    }
    let worker_calls = watcher.arrivals().await;
    let again = afterwards::again(&histories, &load).await;
    let calls_after = watcher.arrivals().await.zip(worker_calls);
    Ok(Evidence {
        replicas: urls.len(),
        published,
        not_healed,
        left,
        tables,
        again,
        worker_calls,
        worker_calls_again: calls_after.map(|(after, before)| after.saturating_sub(before)),
        quiescent: quiescent::measure(urls, &mut watcher, plan.seed).await?,
        lost_by_failover,
        experiment,
        trial,
        histories,
    })
}

/// Writes down what was promised as it is, and says what happens.
struct Witness {
    epoch: Instant,
    accepted: RefCell<AcceptedFile>,
    console: Console,
}

impl Audience for Witness {
    fn heard(&self, history: &CallHistory) -> Result<(), SystemError> {
        let accepted = history.accepted();
        accepted.map_or(Ok(()), |one| self.accepted.borrow_mut().add(&one))
    }

    fn told(&self, what: String) {
        let at = self.epoch.elapsed().as_secs_f64();
        let line = format!("{at:>6.1} s  {what}");
        self.console.say(self.console.paint(Tone::Faint, line));
    }
}

/// Heals all that is still broken; what did not come back, and why.
async fn heal(system: &System, replicas: usize, stage: StageKind) -> Vec<String> {
    if stage == StageKind::Swarm {
        let made = system.make_whole().await;
        return made.err().iter().map(told).collect();
    }
    let mut failed = Vec::new();
    // First, or the one that is waited for may be waiting for one that stands still.
    for part in Part::all(replicas) {
        failed.extend(system.resume(part).await.as_ref().err().map(told));
    }
    for part in Part::all(replicas) {
        failed.extend(system.start(part).await.as_ref().err().map(told));
    }
    failed
}

fn told(error: &SystemError) -> String {
    format!("{error} {}", error.context().join(" "))
}
