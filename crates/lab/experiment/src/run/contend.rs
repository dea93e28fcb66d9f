//! Playing an experiment against somebody else's API: one trial for each repetition, held against what the resilient side
//! must show.

use jiff::Timestamp;

use super::super::contender::Contender;
use super::super::find::Found;
use super::super::results::{Finished, Run};
use super::super::{policies, report};
use super::{RunOptions, Session, Trials, combine};
use crate::error::ExperimentError;
use crate::output::{Console, Tone};

/// What a contender is told of the worker is one address, and of Postgres another.
pub(super) fn keep_those_with_one_of_each(
    options: &RunOptions,
    found: &mut Vec<Found>,
    console: Console,
) -> Result<(), ExperimentError> {
    let several = |one: &Found| {
        let system = &one.experiment.system;
        let workers = (system.workers.get() > 1).then_some("workers, and WORKER_URL");
        workers.or(system
            .replication
            .map(|_| "nodes of Postgres, and DATABASE_URL"))
    };
    for one in found.extract_if(.., |one| several(one).is_some()) {
        let name = &one.experiment.name;
        let what = several(&one).unwrap_or_default();
        let why = format!("{name} has several {what} names one");
        if options.experiments.is_some() {
            return Err(ExperimentError::Experiment(why));
        }
        console.say(format_args!("left out: {why}"));
    }
    Ok(())
}

impl Session<'_> {
    /// Plays an experiment, judges the contender, writes it down and shows it.
    pub(super) async fn contend(
        &mut self,
        contender: &Contender,
        found: &Found,
        options: &RunOptions,
    ) -> Result<Run, ExperimentError> {
        let experiment = &self.on_this_stage(&found.experiment);
        let policies = policies::of(experiment, &self.settings.root, None)?;
        let started = Timestamp::now();
        let title = self.console.paint(Tone::Strong, &experiment.name);
        let seconds = experiment.load.lasts.as_secs_f64();
        self.console.say(format_args!(
            "{title}: {}, {} x {seconds} s, {} requests/s, seed {}",
            contender.name, options.repeat, experiment.load.rate, experiment.load.seed,
        ));
        let with = Trials {
            experiment,
            policies: &policies,
            contender: Some(contender),
            keep: options.keep,
        };
        let (trials, broke_off) = self.trials(with, options.repeat).await;
        if let Some(error) = broke_off {
            return Err(error);
        }
        let verdict = combine::contender(experiment, &trials);
        let about = self.about(experiment, started).await;
        let results = self.results.of_contender(&contender.name);
        let run = results.save(&Finished {
            about: &about,
            experiment: &found.text,
            policies: &policies,
            trials: &trials,
            verdict: &verdict,
        })?;
        if !options.json {
            let title = format!("{} by {}", experiment.title, contender.name);
            for line in report::contender(&title, &trials, &verdict, self.console) {
                self.console.print(line);
            }
            let seen = format!("  seen: {}\n", run.folder.display());
            self.console.print(self.console.paint(Tone::Faint, seen));
        }
        Ok(run)
    }
}
