//! A system under load while its faults are played, looked at from outside all the while: trials of experiments, and torture.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep_until};

use super::fault;
use super::plan::Experiment;
use super::system::System;
use super::trial::Trial;
use super::watch::Watcher;
use crate::error::ExperimentError;
use crate::load::{self, CallHistory};

/// What is played, and on what.
pub(super) struct Scene<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) load: &'a load::Plan,
    pub(super) system: &'a System,
    /// That the API publishes; zero: it does not.
    pub(super) bound: Duration,
}

/// What is told as it happens.
pub(super) trait Audience {
    /// A call has ended.
    fn heard(&self, history: &CallHistory) -> Result<(), SystemError>;

    /// A fault began, or is over.
    fn told(&self, what: String);

    /// Some time has gone by.
    fn ticked(&self) {}

    /// Asked before the first fault: why nothing can be learnt from breaking it.
    fn is_steady(&self) -> Result<(), ExperimentError> {
        Ok(())
    }
}

impl Scene<'_> {
    /// Load and faults, both from `epoch` on: the trial, but for what Postgres, the API's log and the contract say of it; and
    /// every attempt of each of its calls.
    pub(super) async fn play(
        &self,
        watcher: &mut Watcher,
        epoch: Instant,
        audience: &impl Audience,
    ) -> Result<(Trial, Vec<CallHistory>), ExperimentError> {
        let samples = RefCell::new(Vec::new());
        let send = async {
            let heard = |history: &CallHistory| audience.heard(history);
            Ok::<_, ExperimentError>(load::run(self.load, epoch, pending(), heard).await?)
        };
        let faults = &self.experiment.faults;
        let break_it = async {
            // What is already ill cannot be broken.
            if let Some(first) = faults.iter().map(|fault| fault.at).min() {
                sleep_until(epoch + first).await;
                audience.is_steady()?;
            }
            let told = |what| audience.told(what);
            Ok(fault::play(faults, self.system, epoch, told).await?)
        };
        let watch = watcher.run(epoch, |sample| {
            audience.ticked();
            samples.borrow_mut().push(sample);
        });
        let both = async { tokio::try_join!(send, break_it) };
        let (sent, faults) = tokio::select! {
            both = both => both?,
            never = watch => match never {},
        };
        let trial = Trial {
            faults,
            samples: samples.into_inner(),
            calls: sent.histories.iter().map(CallHistory::call).collect(),
            generator: sent.generator,
            ..Trial::new(self.load.side, self.bound, self.load.load.lasts)
        };
        Ok((trial, sent.histories))
    }
}
