//! One trial: a fresh system, steady state, the faults, what comes after; then the account. Whatever happens, the system is
//! taken down, and that is looked at too.

mod warm;

pub(crate) use warm::until_whole;

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_checker::contract;
use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::contender::{Contender, untold};
use super::modelled::{Backend, Order};
use super::plan::{Experiment, Side};
use super::progress::Progress;
use super::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};
use super::trial::{Call, Durability, Observation, Stranger, Trial};
use super::under_load::Scene;
use super::watch::Watcher;
use super::{durability, fault, transitions};
use crate::error::ExperimentError;
use crate::load;
use crate::output::Console;
use crate::settings::Settings;

/// Of its folder and its log.
const API: &str = "api";

/// What trials of an experiment are played with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trials<'a> {
    pub(crate) experiment: &'a Experiment,
    /// The policy file's text.
    pub(crate) policies: &'a str,
    /// Whose API is played in the place of ours.
    pub(crate) contender: Option<&'a Contender>,
    /// Whether the folder with the logs stays.
    pub(crate) keep: bool,
}

/// What trials have in common, and where they are played.
#[derive(Debug)]
pub(super) struct Playing<'a> {
    pub(super) with: Trials<'a>,
    pub(super) backend: &'a Backend,
    pub(super) settings: &'a Settings,
    pub(super) console: Console,
}

impl Playing<'_> {
    /// Plays one side.
    ///
    /// # Errors
    /// When the system could not be raised, was not steady before the first fault, or could not be taken down; when a
    /// fault could not be put in force or ended; Ctrl-C.
    pub(super) async fn trial(
        &self,
        side: Side,
        signals: &mut StopSignals,
    ) -> Result<Trial, ExperimentError> {
        let backend = match self.backend {
            Backend::Virtual(program) => {
                let Trials {
                    experiment,
                    policies,
                    ..
                } = self.with;
                let order = Order {
                    experiment,
                    policies,
                    side,
                };
                return tokio::select! {
                    trial = order.played_by(program) => Ok(trial?),
                    _ = signals.next() => Err(SystemError::Interrupted.into()),
                };
            }
            Backend::Real(backend) => backend,
        };
        let progress = Progress::new(self.with.experiment, side, self.console);
        let spec = self.spec();
        let raised = tokio::select! {
            raised = backend.raise(&spec, self.settings, self.console) => raised,
            _ = signals.next() => Err(SystemError::Interrupted),
        };
        let mut system = match raised {
            Ok(system) => system,
            Err(error) => {
                let cleared = backend.clear().await;
                cleared.map_err(|left| SystemError::NotRolledBack(vec![left.to_string()]))?;
                return Err(error.into());
            }
        };
        let seen = tokio::select! {
            seen = self.under_load(side, &system, &progress) => seen,
            _ = signals.next() => Err(SystemError::Interrupted.into()),
        };
        let stopped = system.stop_contender().await;
        let kept = match self.with.keep {
            true => Some(system.keep().await),
            false => None,
        };
        drop(progress);
        let left = system.lower().await;
        if !left.is_empty() {
            return Err(SystemError::NotRolledBack(left).into());
        }
        if let Some(folder) = kept.transpose()? {
            let folder = folder.display();
            self.console
                .say(format_args!("  {side}: logs and journal are in {folder}"));
        }
        let mut trial = seen?;
        if let (Some(contender), Some(stopped)) = (&mut trial.contender, stopped) {
            contender.ending = stopped;
        }
        Ok(trial)
    }

    fn spec(&self) -> SystemSpec {
        let system = &self.with.experiment.system;
        let worker = WorkerSpec {
            capacity: system.work_capacity,
            warmup: system.work_warmup,
            ..WorkerSpec::new(system.work_delay)
        };
        let mut api = ApiSpec::new(API, self.with.policies);
        api.contender = self.with.contender.cloned();
        // Breakers' changes of state are read from the API's log, which the caller's filter could hide.
        api.variables.push(("RUST_LOG", "info".to_owned()));
        SystemSpec {
            workers: system.workers,
            replication: system.replication,
            linked: fault::linked(&self.with.experiment.faults),
            seed: self.with.experiment.load.seed,
            replaced: fault::replaced(&self.with.experiment.faults),
            ..SystemSpec::new(worker, vec![api])
        }
    }

    async fn under_load(
        &self,
        side: Side,
        system: &System,
        progress: &Progress<'_>,
    ) -> Result<Trial, ExperimentError> {
        let experiment = self.with.experiment;
        let start = self.start(side, system).await?;
        let (epoch, since) = (Instant::now(), Timestamp::now());
        progress.begin(epoch);
        let url = system.client(Part::Api(0))?.base();
        let mut load = load::Plan::new(url, side, experiment.load.clone());
        load.bodiless = start.bodiless;
        load.faults.clone_from(&experiment.faults);
        let scene = Scene {
            experiment,
            load: &load,
            system,
            bound: start.bound.unwrap_or_default(),
        };
        let mut watcher = Watcher::of(system, side);
        let (mut trial, histories) = scene.play(&mut watcher, epoch, progress).await?;
        progress.enter("waiting until all is done");
        (trial.durability, trial.contender) =
            self.account(side, &trial.calls, &start, system).await?;
        if side != Side::Contender {
            trial.transitions = transitions::read(&system.api_log().await?, since);
        }
        trial.breaches = Some(match side {
            Side::Resilient => contract::of(&histories),
            // Promised nothing, or something of their own.
            Side::Naive | Side::Contender => Vec::new(),
        });
        Ok(trial)
    }

    /// Has the side warm, and asks what must be known of it beforehand.
    async fn start(&self, side: Side, system: &System) -> Result<Start, ExperimentError> {
        let api = system.client(Part::Api(0))?;
        let work_delay = self.with.experiment.system.work_delay;
        let mut start = Start::default();
        if let Some(contender) = self.with.contender {
            start.bodiless = warm::takes_no_body(api.base()).await;
            start.bound = contender.bound;
        } else {
            start.bound = Some(api.bound().await?);
        }
        // Before the first fault it is as able as it will be.
        sleep(self.with.experiment.system.work_warmup.unwrap_or_default()).await;
        warm::warm(side, api, start.bodiless, work_delay).await?;
        if self.with.contender.is_some() {
            start.rows = durability::trial::ids(&system.database()?).await?;
        }
        Ok(start)
    }

    async fn account(
        &self,
        side: Side,
        calls: &[Call],
        start: &Start,
        system: &System,
    ) -> Result<(Durability, Option<Stranger>), ExperimentError> {
        let database = system.database()?;
        if self.with.contender.is_none() {
            let counts = durability::trial::of_side(side, calls, system, self.console);
            return Ok((counts.await?, None));
        }
        let (counts, keyed) =
            durability::trial::of_contender(calls, &start.rows, &database).await?;
        let contender = Stranger {
            untold: untold(start.bound, calls, keyed),
            ending: Observation {
                holds: false,
                seen: "it was not asked to end".to_owned(),
            },
        };
        Ok((counts, Some(contender)))
    }
}

/// What is known before the first request.
#[derive(Debug, Default)]
struct Start {
    bound: Option<Duration>,
    bodiless: bool,
    /// Of the warm-up of a contender, whose rows say nothing of whom they are.
    rows: BTreeSet<Uuid>,
}
