//! Playing what an exercise asks for, each experiment once.

use holdfast_system::error::SystemError;

use super::Answer;
use super::exercise::{Exercise, policies as handed_in};
use super::score::Played;
use crate::error::ExperimentError;
use crate::find::{self, Found};
use crate::output::{Console, Tone};
use crate::plan::Side;
use crate::policies;
use crate::run::{Session, Trials};
use crate::settings::{Settings, StageKind};
use crate::trial::Trial;

pub(super) async fn play(
    exercise: &Exercise,
    answer: &Answer,
    settings: &Settings,
    console: Console,
) -> Result<Vec<Played>, ExperimentError> {
    let mut names: Vec<String> = exercise
        .judged
        .iter()
        .map(|it| it.experiment.clone())
        .collect();
    names.sort();
    names.dedup();
    let found = find::experiments(Some(&names), &settings.root)?;
    // Read before anything is started: a file that is no TOML is no answer.
    if let Answer::Policies(file) = answer {
        handed_in(file)?;
    }
    settings.on_processes("grade")?;
    let mut session = Session::gather(StageKind::Local, settings, console).await?;
    let played = all(&found, exercise, answer, &mut session, console).await;
    session.leave(&played).await;
    played
}

async fn all(
    found: &[Found],
    exercise: &Exercise,
    answer: &Answer,
    session: &mut Session<'_>,
    console: Console,
) -> Result<Vec<Played>, ExperimentError> {
    let mut played = Vec::new();
    for one in found {
        let name = console.paint(Tone::Strong, &one.experiment.name);
        let seconds = one.experiment.load.lasts.as_secs_f64();
        console.say(format_args!("{name}: {seconds} s"));
        let trial = match trial(one, exercise, answer, session).await {
            Ok(trial) => Ok(trial),
            Err(error) if says_something(&error) => {
                error.tell(console);
                Err(error.to_string())
            }
            Err(error) => return Err(error),
        };
        played.push(Played {
            experiment: one.experiment.name.clone(),
            trial,
        });
    }
    Ok(played)
}

async fn trial(
    found: &Found,
    exercise: &Exercise,
    answer: &Answer,
    session: &mut Session<'_>,
) -> Result<Trial, ExperimentError> {
    let bound = exercise.bound().map_err(ExperimentError::Experiment)?;
    let (contender, over) = match answer {
        Answer::Api(contender) => {
            let mut contender = contender.clone();
            contender.bound = Some(bound);
            (Some(contender), None)
        }
        Answer::Policies(file) => (None, Some(handed_in(file)?)),
        Answer::Starter => (None, None),
    };
    let policies = policies::of(&found.experiment, &session.settings.root, over.as_ref())?;
    let with = Trials {
        experiment: &found.experiment,
        policies: &policies,
        contender: contender.as_ref(),
        keep: false,
    };
    let side = contender
        .as_ref()
        .map_or(Side::Resilient, |_| Side::Contender);
    let mut trial = session.trial(with, side).await?;
    // Not the one that follows from the policies: whoever waits longer has a longer one.
    trial.bound = bound;
    Ok(trial)
}

/// Whether it is the answer that could not be played, and not the experiment.
fn says_something(error: &ExperimentError) -> bool {
    let started = |error: &SystemError| {
        matches!(
            error,
            SystemError::Contender(..) | SystemError::Unhealthy { .. }
        ) || error.is_configuration()
    };
    match error {
        ExperimentError::NotSteady { .. } => true,
        ExperimentError::System(SystemError::NotStarted { error, .. }) => started(error),
        ExperimentError::System(error) => started(error),
        _ => false,
    }
}
