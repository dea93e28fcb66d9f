//! `lab run`, `lab list`, `lab ablate`, `lab reproduce`, `lab report`, and what only the lab itself calls.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use holdfast_ops::exit;

use super::arguments::{Ablate, Grade, Run, Torture};
use crate::output::Console;
use crate::settings::Settings;
use holdfast_experiment::contender::{self, Contender};
use holdfast_experiment::error::ExperimentError;
use holdfast_experiment::{self as experiment, Answer, Outcome, torture};
use holdfast_system::error::SystemError;

/// Whether it could be played, and judged, is told apart from how it came out.
const COULD_NOT_RUN: u8 = 2;

pub(super) async fn run(wanted: Run, settings: &Settings, console: Console) -> ExitCode {
    let contender = match contender(wanted.api, wanted.name, wanted.bound) {
        Ok(contender) => contender,
        Err(error) => return ended(Err(error.into()), console),
    };
    let options = experiment::RunOptions {
        experiments: if wanted.all {
            None
        } else {
            Some(wanted.experiments)
        },
        seed: wanted.seed,
        repeat: wanted.repeat,
        retry: wanted.retry,
        json: wanted.json,
        keep: wanted.keep,
        contender,
    };
    ended(experiment::run(&options, settings, console).await, console)
}

/// Exit 0: all points; 1: fewer; 2: it could not be played.
pub(super) async fn grade(
    wanted: Grade,
    settings: &Settings,
    console: Console,
) -> Result<ExitCode, SystemError> {
    let answer = match (wanted.policies, contender(wanted.api, None, None)?) {
        (Some(file), _) => Answer::Policies(file),
        (None, Some(contender)) => Answer::Api(contender),
        (None, None) => Answer::Starter,
    };
    let graded = experiment::grade(&wanted.exercise, answer, settings, console).await;
    Ok(match graded {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => exit::failure(),
        Err(error) => ended(Err(error), console),
    })
}

pub(super) async fn ablate(wanted: Ablate, settings: &Settings, console: Console) -> ExitCode {
    let played = experiment::ablate(&wanted.experiments, wanted.seed, settings, console);
    ended(played.await, console)
}

pub(super) async fn torture(wanted: Torture, settings: &Settings, console: Console) -> ExitCode {
    let plan = torture::Plan {
        duration: wanted.duration,
        seed: wanted.seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
        replicas: wanted.replicas.map(usize::from),
        rate: wanted.rate,
        settle: wanted.settle,
        keep: wanted.keep,
    };
    ended(torture::run(&plan, settings, console).await, console)
}

pub(super) async fn reproduce(run: &str, settings: &Settings, console: Console) -> ExitCode {
    ended(experiment::reproduce(run, settings, console).await, console)
}

/// The API that a command starts, called after the command's last word unless it has a name.
fn contender(
    command: Option<String>,
    name: Option<String>,
    bound: Option<Duration>,
) -> Result<Option<Contender>, SystemError> {
    let Some(command) = command else {
        return Ok(None);
    };
    let folder = env::current_dir().map_err(SystemError::file("find", "the current folder"))?;
    Ok(Some(Contender {
        name: name.unwrap_or_else(|| contender::name_of(&command)),
        command,
        folder,
        bound,
    }))
}

fn ended(outcome: Result<Outcome, ExperimentError>, console: Console) -> ExitCode {
    match outcome {
        Ok(Outcome::Held) => ExitCode::SUCCESS,
        Ok(Outcome::Deviated) => exit::failure(),
        Ok(Outcome::Unknown | Outcome::NotPlayed) => ExitCode::from(COULD_NOT_RUN),
        Err(error) => {
            error.tell(console);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}
