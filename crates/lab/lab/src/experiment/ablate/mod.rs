//! Ablation: an experiment's resilient side, again and again, each time with one policy taken out. What fails then is what
//! the policy is for; a policy whose removal fails nothing is a finding as well.

mod removals;
mod table;

use toml::Table;

use super::find::{self, Found};
use super::plan::Side;
use super::policies;
use super::run::{Company, Outcome, Trials, nothing_for, on_stage};
use super::trial::Trial;
use super::verdict::resilient;
use crate::error::LabError;
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};

use removals::Removal;
use table::Row;

/// Plays each experiment intact, then without each policy, and prints a table for each, then what no experiment missed.
///
/// # Errors
/// When one cannot be played, intact or not.
pub async fn ablate(
    names: &[String],
    seed: Option<u64>,
    settings: &Settings,
    console: Console,
) -> Result<Outcome, LabError> {
    let stage = settings.stage.unwrap_or(StageKind::Local);
    let (found, elsewhere) = on_stage(stage, find::experiments(Some(names), &settings.root)?);
    if !elsewhere.is_empty() {
        return Err(nothing_for(stage, &elsewhere));
    }
    let mut company = Company::gather(stage, settings, console).await?;
    let played = all(&found, seed, settings, &mut company, console).await;
    company.leave(&played);
    let (rows, intact) = played?;
    if found.len() > 1 {
        table::findings(&rows, console);
    }
    Ok(if intact {
        Outcome::Held
    } else {
        Outcome::Deviated
    })
}

/// Also whether all of them hold as long as nothing is taken out.
async fn all(
    found: &[Found],
    seed: Option<u64>,
    settings: &Settings,
    company: &mut Company<'_>,
    console: Console,
) -> Result<(Vec<Row>, bool), LabError> {
    let (mut rows, mut intact) = (Vec::new(), true);
    for one in found {
        let mut one = one.clone();
        one.experiment = company.on_this_stage(&one.experiment);
        one.experiment.load.seed = seed.unwrap_or(one.experiment.load.seed);
        let of_it = removals(&one, settings, company, console).await?;
        intact &= of_it.first().is_some_and(|row| row.failing.is_empty());
        table::print(&one.experiment.title, &of_it, console);
        rows.extend(of_it);
    }
    Ok((rows, intact))
}

/// The first row is of the experiment as it is.
async fn removals(
    found: &Found,
    settings: &Settings,
    company: &mut Company<'_>,
    console: Console,
) -> Result<Vec<Row>, LabError> {
    let mut rows = Vec::new();
    let mut intact: Option<Trial> = None;
    let own = policies::of(&found.experiment, &settings.root, None)?;
    let own: Table = own.parse().unwrap_or_default();
    for removal in [None].into_iter().chain(Removal::ALL.map(Some)) {
        let taken_out = removal.map(|removal| removal.overlay(&own));
        let policies = policies::of(&found.experiment, &settings.root, taken_out.as_ref())?;
        let what = removal.map_or_else(|| "nothing".to_owned(), |removal| removal.to_string());
        let title = console.paint(Tone::Strong, &found.experiment.name);
        console.say(format_args!("{title}: without {what}"));
        let with = Trials {
            experiment: &found.experiment,
            policies: &policies,
            contender: None,
            keep: false,
        };
        let failing = match company.trial(with, Side::Resilient).await {
            Ok(mut trial) => {
                // What was promised is the bound with all policies in place.
                trial.bound = intact.as_ref().map_or(trial.bound, |intact| intact.bound);
                let checks = resilient(&found.experiment, &trial);
                intact.get_or_insert(trial);
                checks.into_iter().filter(|check| !check.holds).collect()
            }
            // Without this policy there is not even a steady state. Whatever else keeps it from being played says nothing
            // of the policy.
            Err(error @ LabError::NotSteady { .. }) if removal.is_some() => {
                vec![table::could_not(&error)]
            }
            Err(error) => return Err(error),
        };
        rows.push(Row { removal, failing });
    }
    Ok(rows)
}
