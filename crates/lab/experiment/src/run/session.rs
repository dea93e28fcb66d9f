//! All that playing needs and experiments share: the ground, the guard, the signals, the results.

use std::env;
use std::time::Duration;

use holdfast_ops::signals::StopSignals;
use holdfast_system::error::SystemError;
use jiff::Timestamp;

use super::super::find::Found;
use super::super::modelled::Backend;
use super::super::plan::{Experiment, Side};
use super::super::play::{Playing, Trials};
use super::super::policies;
use super::super::results::{About, Finished, Machine, Results, Run, Source};
use super::super::trial::Trial;
use super::{RunOptions, combine, pages};
use crate::error::ExperimentError;
use crate::guard::{Guard, Guarded};
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};

const LONGER_ON_CONTAINERS: Duration = Duration::from_secs(6);

/// What is there while experiments are played.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    stage: StageKind,
    pub(crate) settings: &'a Settings,
    pub(super) console: Console,
    backend: Backend,
    guard: Guard,
    signals: StopSignals,
    pub(super) results: Results,
}

impl<'a> Session<'a> {
    /// Says which stage it is, and has everything ready to play on it.
    pub(crate) async fn gather(
        stage: StageKind,
        settings: &'a Settings,
        console: Console,
    ) -> Result<Self, ExperimentError> {
        holdfast_testbed::open_files::raise_limit(console);
        console.say(format_args!("stage: {}, one of its own", stage.name()));
        let mut signals =
            StopSignals::listen().map_err(SystemError::file("listen for", "signals"))?;
        let guard = Guard::post(Guarded::of_experiments(stage))?;
        let backend = tokio::select! {
            backend = Backend::prepare(stage, settings, console) => backend,
            _ = signals.next() => Err(SystemError::Interrupted),
        };
        let backend = match backend {
            Ok(backend) => backend,
            Err(error) => {
                if stage == StageKind::Swarm && !matches!(error, SystemError::ExperimentsUnderWay) {
                    // Some of the nodes may be on already.
                    guard.leave_the_rest();
                }
                return Err(error.into());
            }
        };
        Ok(Self {
            stage,
            settings,
            console,
            backend,
            guard,
            signals,
            results: Results::of(settings),
        })
    }

    /// Nothing more is to be played. What could not be taken down is left to the guard, which tries again.
    pub(crate) async fn leave<T>(self, played: &Result<T, ExperimentError>) {
        let left = self.backend.leave().await;
        if left.is_err()
            || played
                .as_ref()
                .is_err_and(ExperimentError::is_not_rolled_back)
        {
            self.guard.leave_the_rest();
        }
    }

    /// Plays an experiment, judges it, writes it down and shows it.
    pub(super) async fn play(
        &mut self,
        found: &Found,
        options: &RunOptions,
    ) -> Result<Run, ExperimentError> {
        let policies = policies::of(&found.experiment, &self.settings.root, None)?;
        self.play_with(found, &policies, options).await
    }

    /// Likewise, with these policies.
    pub(super) async fn play_with(
        &mut self,
        found: &Found,
        policies: &str,
        options: &RunOptions,
    ) -> Result<Run, ExperimentError> {
        let experiment = &self.on_this_stage(&found.experiment);
        self.announce(experiment, options.repeat);
        let started = Timestamp::now();
        let with = Trials {
            experiment,
            policies,
            contender: None,
            keep: options.keep,
        };
        let (trials, broke_off) = self.trials(with, options.repeat).await;
        let verdict = match broke_off {
            None => combine::verdict(experiment, &trials),
            Some(error) if trials.is_empty() => return Err(error),
            Some(ref error) => combine::unfinished(experiment, &trials, 2 * options.repeat, error),
        };
        let about = self.about(experiment, started).await;
        let saved = self.results.save(&Finished {
            about: &about,
            experiment: &found.text,
            policies,
            trials: &trials,
            verdict: &verdict,
        });
        let console = (!options.json).then_some(self.console);
        let published = saved
            .map_err(ExperimentError::from)
            .and_then(|run| pages::publish(experiment, &trials, run, self.settings, console));
        // What ended the run is what decides how to go on.
        match (broke_off, published) {
            (None, published) => published,
            (Some(error), Ok(_)) => Err(error),
            (Some(error), Err(unsaved)) => {
                self.console.say(format_args!("not saved: {unsaved}"));
                Err(error)
            }
        }
    }

    /// Plays both sides, or the contender, `repeat` times: all that came to its end whole, and what ended the last one.
    pub(super) async fn trials(
        &mut self,
        with: Trials<'_>,
        repeat: u32,
    ) -> (Vec<Trial>, Option<ExperimentError>) {
        let mut played = Vec::new();
        for pair in 0..repeat {
            let with = Trials {
                experiment: &with.experiment.of_pair(pair.into()),
                ..with
            };
            let mut of_pair = Vec::new();
            for side in order(pair, with.contender.is_some()) {
                match self.trial(with, *side).await {
                    Ok(trial) => of_pair.push(trial),
                    Err(error) => return (played, Some(error)),
                }
            }
            played.append(&mut of_pair);
        }
        (played, None)
    }

    /// Containers take seconds to be killed and to come back: there the load goes on for longer.
    pub(crate) fn on_this_stage(&self, experiment: &Experiment) -> Experiment {
        let mut experiment = experiment.clone();
        if self.stage == StageKind::Compose {
            experiment.load.lasts += LONGER_ON_CONTAINERS;
        }
        experiment
    }

    pub(crate) async fn trial(
        &mut self,
        with: Trials<'_>,
        side: Side,
    ) -> Result<Trial, ExperimentError> {
        let playing = Playing {
            with,
            backend: &self.backend,
            settings: self.settings,
            console: self.console,
        };
        // Boxed: what it waits for is nested deeper than the compiler follows.
        Box::pin(playing.trial(side, &mut self.signals)).await
    }

    fn announce(&self, experiment: &Experiment, repeat: u32) {
        let name = self.console.paint(Tone::Strong, &experiment.name);
        let seconds = experiment.load.lasts.as_secs_f64();
        let (first, rate) = (experiment.load.seed, experiment.load.rate);
        let seeds = match repeat {
            0 | 1 => format!("seed {first}"),
            _ => format!("seeds from {first}"),
        };
        self.console.say(format_args!(
            "{name}: {} trials of {seconds} s, {rate} requests/s, {seeds}",
            2 * repeat,
        ));
    }

    pub(super) async fn about(&self, experiment: &Experiment, started: Timestamp) -> About {
        About {
            name: experiment.name.clone(),
            seed: experiment.load.seed,
            stage: self.stage,
            command: env::args().collect(),
            started,
            ended: Timestamp::now(),
            lab: About::LAB.to_owned(),
            source: Source::of(&self.settings.root).await,
            machine: Machine::here(),
        }
    }
}

/// Each pair has both sides, and neither is always first.
fn order(pair: u32, contender_alone: bool) -> &'static [Side] {
    match pair % 2 {
        _ if contender_alone => &[Side::Contender],
        0 => &[Side::Naive, Side::Resilient],
        _ => &[Side::Resilient, Side::Naive],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::plan;
    use crate::load::Arrivals;

    #[test]
    fn pairs_alternate_which_side_is_first() {
        use Side::{Naive, Resilient};
        let (one, other) = ([Naive, Resilient], [Resilient, Naive]);
        assert_eq!([0, 1, 2].map(|pair| order(pair, false)), [one, other, one]);
    }

    #[test]
    fn each_pair_meets_arrivals_of_its_own_and_the_first_those_of_the_seed() {
        let mut experiment = plan();
        experiment.load.arrivals = Arrivals::Poisson;
        let times = |of: &Experiment| {
            let load = &of.load;
            let times = load.arrivals.times(load.rate, load.lasts, load.seed);
            times.collect::<Vec<_>>()
        };
        let [first, second, third] = [0, 1, 2].map(|pair| times(&experiment.of_pair(pair)));
        assert_eq!(first, times(&experiment));
        assert!(first != second && second != third && first != third);
    }
}
