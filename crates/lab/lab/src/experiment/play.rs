//! One trial: a fresh scene, steady state, the faults, what comes after; then the account. Whatever happens, the scene is
//! taken down, and that is looked at too.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::load::{self, LoadPlan};
use super::plan::{Experiment, Side};
use super::progress::Progress;
use super::scene::{Ground, Making, Scene};
use super::trial::{Call, Trial};
use super::watch::Watcher;
use super::{account, fault, transitions, verdict};
use crate::check::Database;
use crate::error::LabError;
use crate::output::Console;
use crate::settings::Settings;

/// Whole answers in a row by which a fresh system is known to be warm: connections are open, statements prepared.
const WARM: u32 = 8;
const WARM_WITHIN: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// What trials have in common.
#[derive(Debug)]
pub(super) struct Playing<'a> {
    pub(super) experiment: &'a Experiment,
    /// The policy file's text.
    pub(super) policies: &'a str,
    pub(super) ground: &'a Ground,
    pub(super) settings: &'a Settings,
    pub(super) console: Console,
    /// Whether the folder with the logs stays.
    pub(super) keep: bool,
}

impl Playing<'_> {
    /// Plays one side.
    ///
    /// # Errors
    /// When the scene could not be raised, was not steady before the first fault, or could not be taken down; when a
    /// fault could not be put in force or ended; Ctrl-C.
    pub(super) async fn trial(
        &self,
        side: Side,
        signals: &mut StopSignals,
    ) -> Result<Trial, LabError> {
        let progress = Progress::new(side, self.experiment.load.lasts, self.console);
        let making = self.making();
        let raised = tokio::select! {
            raised = Scene::raise(self.ground, &making, self.settings, self.console) => raised,
            _ = signals.next() => Err(LabError::Interrupted),
        };
        let mut scene = match raised {
            Ok(scene) => scene,
            Err(error) => {
                let cleared = self.ground.clear().await;
                cleared.map_err(|left| LabError::NotRolledBack(vec![left.to_string()]))?;
                return Err(error);
            }
        };
        let seen = tokio::select! {
            seen = self.under_load(side, &scene, &progress) => seen,
            _ = signals.next() => Err(LabError::Interrupted),
        };
        let kept = match self.keep {
            true => Some(scene.keep().await),
            false => None,
        };
        drop(progress);
        let left = scene.lower().await;
        if !left.is_empty() {
            return Err(LabError::NotRolledBack(left));
        }
        if let Some(folder) = kept.transpose()? {
            let folder = folder.display();
            self.console
                .say(format_args!("  {side}: logs and journal are in {folder}"));
        }
        seen
    }

    fn making(&self) -> Making {
        Making {
            policies: self.policies.to_owned(),
            work_delay: self.experiment.system.work_delay,
            wired: fault::wired(&self.experiment.faults),
            replaced: fault::replaced(&self.experiment.faults),
            seed: self.experiment.load.seed,
        }
    }

    async fn under_load(
        &self,
        side: Side,
        scene: &Scene,
        progress: &Progress,
    ) -> Result<Trial, LabError> {
        let experiment = self.experiment;
        let api = scene.api();
        let bound = api.policies().await?.process.worst_case_seconds;
        warm(side, scene, experiment.system.work_delay).await?;
        let watcher = Watcher::of(scene);
        let (heard, samples) = (RefCell::new(Vec::<Call>::new()), RefCell::new(Vec::new()));
        let (epoch, since) = (Instant::now(), Timestamp::now());
        progress.begin(epoch);
        let plan = LoadPlan::new(api.base(), side, experiment.load.clone());
        let load = load::play(&plan, epoch, pending(), |call, _| {
            progress.heard(call);
            heard.borrow_mut().push(call.clone());
        });
        let steady = || {
            verdict::steady_before(experiment, &heard.borrow())
                .map_err(|seen| LabError::NotSteady { side, seen })
        };
        let faults = fault::play(&experiment.faults, scene, epoch, steady, |told| {
            progress.enter(told);
        });
        let watch = watcher.run(epoch, |sample| {
            progress.tick();
            samples.borrow_mut().push(sample);
        });
        let both = async { tokio::try_join!(load, faults) };
        let ((calls, generator), faults) = tokio::select! {
            both = both => both?,
            never = watch => match never {},
        };
        progress.enter("waiting until all is done");
        let database = Database::Port(scene.database_port());
        let ledger = account::draw_up(side, &calls, api, &database, self.console).await?;
        Ok(Trial {
            side,
            bound: Duration::try_from_secs_f64(bound).unwrap_or_default(),
            lasts: experiment.load.lasts,
            faults,
            transitions: transitions::read(&scene.api_log().await?, since),
            samples: samples.into_inner(),
            calls,
            ledger,
            generator,
        })
    }
}

/// Calls the side until it answers as it should, several times in a row.
async fn warm(side: Side, scene: &Scene, work_delay: Duration) -> Result<(), LabError> {
    let api = scene.api();
    let deadline = Instant::now() + WARM_WITHIN + WARM * work_delay;
    let mut in_a_row = 0;
    while in_a_row < WARM {
        in_a_row = if api.answers_whole(side.path()).await {
            in_a_row + 1
        } else {
            0
        };
        if Instant::now() > deadline {
            let seen = format!("it did not answer {WARM} calls in a row as it should");
            return Err(LabError::NotSteady { side, seen });
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
