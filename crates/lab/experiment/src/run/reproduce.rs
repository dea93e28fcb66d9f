//! `lab reproduce`: a run played again from its own files.

use std::path::PathBuf;

use super::super::find::Found;
use super::super::plan::{Experiment, Side};
use super::super::results::{Agreement, Results, ResultsError, Run};
use super::{Outcome, RunOptions, Session};
use crate::error::ExperimentError;
use crate::output::Console;
use crate::settings::Settings;

/// Plays the experiment and the policies of a run again, with its seed, as often as it did, on the stage it was played on,
/// and says whether the verdicts agree. Its files must be what the manifest says.
pub async fn reproduce(
    wanted: &str,
    settings: &Settings,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let old = find(wanted, settings)?;
    if old.verdict.broke_off() {
        return Err(ResultsError::BrokeOff(old.id()).into());
    }
    console.say(format_args!("playing {} again", old.id()));
    // An experiment is called after its file.
    let file = PathBuf::from(&old.about.name).with_extension("toml");
    let mut experiment = Experiment::parse(&file, &old.experiment)?;
    experiment.load.seed = old.about.seed;
    let trials = old.trials()?;
    let naive = trials.iter().filter(|trial| trial.side == Side::Naive);
    let options = RunOptions {
        repeat: u32::try_from(naive.count()).unwrap_or(1),
        ..RunOptions::default()
    };
    let found = Found {
        experiment,
        text: old.experiment.clone(),
    };
    let mut session = Session::gather(old.about.stage, settings, console).await?;
    let new = session.play_with(&found, &old.policies, &options).await;
    session.leave(&new).await;
    let agreement = Agreement::of(&old.verdict, &new?.verdict);
    agreement.print(console);
    Ok(Outcome::held(agreement.agrees()))
}

/// By NAME alone the latest is meant that was played to its end.
fn find(wanted: &str, settings: &Settings) -> Result<Run, ExperimentError> {
    let results = Results::of(settings);
    let runs = results.all().runs.into_iter();
    let mut whole = runs.filter(|run| !run.verdict.broke_off());
    match whole.find(|run| run.about.name == wanted) {
        Some(latest) => Ok(latest),
        None => Ok(results.open(wanted)?),
    }
}
