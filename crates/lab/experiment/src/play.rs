//! One trial: a fresh system, steady state, the faults, what comes after; then the account. Whatever happens, the system is
//! taken down, and that is looked at too.

mod warm;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use holdfast_checker::contract;
use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::contender::{Contender, untold};
use super::modelled::Backend;
use super::plan::{Experiment, Side};
use super::progress::Progress;
use super::system::{ApiSpec, Part, System, SystemSpec, WorkerSpec};
use super::trial::{Call, Ledger, Observation, Stranger, Trial};
use super::watch::Watcher;
use super::{durability, fault, transitions, verdict};
use crate::error::ExperimentError;
use crate::load;
use crate::output::Console;
use crate::settings::Settings;

/// Of its folder and its log.
const API: &str = "api";

/// What trials have in common.
#[derive(Debug)]
pub(super) struct Playing<'a> {
    pub(super) experiment: &'a Experiment,
    /// The policy file's text.
    pub(super) policies: &'a str,
    /// Whose API is played in the place of ours.
    pub(super) contender: Option<&'a Contender>,
    pub(super) backend: &'a Backend,
    pub(super) settings: &'a Settings,
    pub(super) console: Console,
    /// Whether the folder with the logs stays.
    pub(super) keep: bool,
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
            Backend::Virtual(modelled) => {
                return tokio::select! {
                    trial = modelled.trial(self.experiment, self.policies, side) => Ok(trial?),
                    _ = signals.next() => Err(SystemError::Interrupted.into()),
                };
            }
            Backend::Real(backend) => backend,
        };
        let progress = Progress::new(side, self.experiment.load.lasts, self.console);
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
        let kept = match self.keep {
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
        seen.map(|trial| ended(trial, stopped))
    }

    fn spec(&self) -> SystemSpec {
        let system = &self.experiment.system;
        let worker = WorkerSpec {
            capacity: system.work_capacity,
            ..WorkerSpec::new(system.work_delay)
        };
        let mut api = ApiSpec::new(API, self.policies);
        api.contender = self.contender.cloned();
        // Breakers' changes of state are read from the API's log, which the caller's filter could hide.
        api.variables.push(("RUST_LOG", "info".to_owned()));
        SystemSpec {
            workers: system.workers,
            replication: system.replication,
            linked: fault::linked(&self.experiment.faults),
            seed: self.experiment.load.seed,
            replaced: fault::replaced(&self.experiment.faults),
            ..SystemSpec::new(worker, vec![api])
        }
    }

    async fn under_load(
        &self,
        side: Side,
        system: &System,
        progress: &Progress,
    ) -> Result<Trial, ExperimentError> {
        let experiment = self.experiment;
        let api = system.client(Part::Api(0))?;
        let start = self.start(side, system).await?;
        let watcher = Watcher::of(system, side);
        let (heard, samples) = (RefCell::new(Vec::<Call>::new()), RefCell::new(Vec::new()));
        let (epoch, since) = (Instant::now(), Timestamp::now());
        progress.begin(epoch);
        let mut plan = load::Plan::new(api.base(), side, experiment.load.clone());
        plan.bodiless = start.bodiless;
        plan.faults.clone_from(&experiment.faults);
        let load = async {
            let heard = |history: &load::CallHistory| {
                let call = history.call();
                progress.heard(&call);
                heard.borrow_mut().push(call);
                Ok(())
            };
            Ok::<_, ExperimentError>(load::run(&plan, epoch, pending(), heard).await?)
        };
        let steady = || {
            verdict::steady_before(experiment, &heard.borrow())
                .map_err(|seen| ExperimentError::NotSteady { side, seen })
        };
        let faults = async {
            // What is already ill cannot be broken.
            if let Some(first) = experiment.faults.iter().map(|fault| fault.at).min() {
                sleep_until(epoch + first).await;
                steady()?;
            }
            let told = |told| progress.enter(told);
            Ok(fault::play(&experiment.faults, system, epoch, told).await?)
        };
        let watch = watcher.run(epoch, |sample| {
            progress.tick();
            samples.borrow_mut().push(sample);
        });
        let both = async { tokio::try_join!(load, faults) };
        let (sent, faults) = tokio::select! {
            both = both => both?,
            never = watch => match never {},
        };
        let calls: Vec<Call> = sent.histories.iter().map(load::CallHistory::call).collect();
        progress.enter("waiting until all is done");
        let (ledger, contender) = self.account(side, &calls, &start, system).await?;
        let log = match side {
            Side::Contender => String::new(),
            _ => system.api_log().await?,
        };
        Ok(Trial {
            side,
            bound: start.bound.unwrap_or_default(),
            lasts: experiment.load.lasts,
            faults,
            transitions: transitions::read(&log, since),
            samples: samples.into_inner(),
            calls,
            breaches: Some(match side {
                Side::Resilient => contract::of(&sent.histories),
                // Promised nothing, or something of their own.
                Side::Naive | Side::Contender => Vec::new(),
            }),
            ledger,
            generator: sent.generator,
            contender,
        })
    }

    /// Has the side warm, and asks what must be known of it beforehand.
    async fn start(&self, side: Side, system: &System) -> Result<Start, ExperimentError> {
        let api = system.client(Part::Api(0))?;
        let work_delay = self.experiment.system.work_delay;
        let mut start = Start::default();
        if let Some(contender) = self.contender {
            start.bodiless = warm::takes_no_body(api.base()).await;
            start.bound = contender.bound;
        } else {
            let seconds = api.policies().await?.process.worst_case_seconds;
            start.bound = Duration::try_from_secs_f64(seconds).ok();
        }
        warm::warm(side, api, start.bodiless, work_delay).await?;
        if self.contender.is_some() {
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
    ) -> Result<(Ledger, Option<Stranger>), ExperimentError> {
        let database = system.database()?;
        if self.contender.is_none() {
            let ledger = durability::trial::of_side(side, calls, system, self.console);
            return Ok((ledger.await?, None));
        }
        let (ledger, keyed) =
            durability::trial::of_contender(calls, &start.rows, &database).await?;
        let contender = Stranger {
            untold: untold(start.bound, calls, keyed),
            ending: Observation {
                holds: false,
                seen: "it was not asked to end".to_owned(),
            },
        };
        Ok((ledger, Some(contender)))
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

fn ended(mut trial: Trial, stopped: Option<Observation>) -> Trial {
    if let (Some(contender), Some(stopped)) = (&mut trial.contender, stopped) {
        contender.ending = stopped;
    }
    trial
}
