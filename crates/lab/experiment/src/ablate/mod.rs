//! Ablation: an experiment's resilient side, again and again, each time with one policy taken out. What fails then is what
//! the policy is for; a policy whose ablation fails nothing is a finding as well.

mod ablations;
mod table;

use toml::Table;

use super::find::{self, Found};
use super::plan::Side;
use super::policies;
use super::run::{Outcome, Session, Trials, Turns, nothing_for, on_stage};
use super::trial::Trial;
use super::verdict::resilient;
use crate::error::ExperimentError;
use crate::output::{Console, Tone};
use crate::settings::{Settings, StageKind};

use ablations::Ablation;
use table::{Ablated, Row};

/// Plays each experiment intact, then without each policy, and prints a table for each, then what no experiment missed. A report
/// of it stays among the results.
pub async fn ablate(
    names: &[String],
    seed: Option<u64>,
    settings: &Settings,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let stage = settings.stage.unwrap_or(StageKind::Local);
    let (found, elsewhere) = on_stage(stage, find::experiments(Some(names), &settings.root)?);
    if !elsewhere.is_empty() {
        return Err(nothing_for(stage, &elsewhere));
    }
    let mut session = Session::gather(stage, settings, console).await?;
    let played = all(&found, seed, settings, &mut session, console).await;
    session.leave(&played).await;
    let ablated = played?;
    if found.len() > 1 {
        for ablation in table::missed_by_none(&ablated) {
            let line = format!("no experiment misses: {ablation}");
            console.print(console.paint(Tone::Warning, line));
        }
    }
    let path = table::write(&ablated, stage.name(), &settings.results)?;
    console.print(console.paint(Tone::Faint, format!("  report: {}", path.display())));
    let intact = |(_, rows): &Ablated| rows.first().is_some_and(|row| row.failing.is_empty());
    Ok(Outcome::held(ablated.iter().all(intact)))
}

async fn all(
    found: &[Found],
    seed: Option<u64>,
    settings: &Settings,
    session: &mut Session<'_>,
    console: Console,
) -> Result<Vec<Ablated>, ExperimentError> {
    let mut ablated = Vec::new();
    let lasts = |one: &Found| {
        let lasts = session.on_this_stage(&one.experiment).load.lasts;
        [lasts].repeat(Ablation::ALL.len() + 1)
    };
    let mut turns = Turns::of(found.iter().flat_map(lasts).collect());
    for one in found {
        let mut one = one.clone();
        one.experiment = session.on_this_stage(&one.experiment);
        one.experiment.load.seed = seed.unwrap_or(one.experiment.load.seed);
        let of_it = ablations(&one, settings, session, &mut turns, console).await?;
        table::print(&one.experiment.title, &of_it, console);
        ablated.push((one, of_it));
    }
    Ok(ablated)
}

/// The first row is of the experiment as it is.
async fn ablations(
    found: &Found,
    settings: &Settings,
    session: &mut Session<'_>,
    turns: &mut Turns,
    console: Console,
) -> Result<Vec<Row>, ExperimentError> {
    let mut rows = Vec::new();
    let mut intact: Option<Trial> = None;
    let own = policies::of(&found.experiment, &settings.root, None)?;
    let own: Table = own.parse().unwrap_or_default();
    let all = Ablation::ALL.iter().copied().map(Some);
    for ablation in [None].into_iter().chain(all) {
        let taken_out = ablation.map(|ablation| ablation.overlay(&own));
        let policies = policies::of(&found.experiment, &settings.root, taken_out.as_ref())?;
        let failing = Vec::new();
        let mut row = Row { ablation, failing };
        let title = console.paint(Tone::Strong, &found.experiment.name);
        let turn = turns.next().map(|turn| format!(" ({turn})"));
        let (without, turn) = (row.without(), turn.unwrap_or_default());
        console.say(format_args!("{title}: without {without}{turn}"));
        let with = Trials {
            experiment: &found.experiment,
            policies: &policies,
            contender: None,
            keep: false,
        };
        row.failing = match session.trial(with, Side::Resilient).await {
            Ok(mut trial) => {
                // What was promised is the bound with all policies in place.
                trial.bound = intact.as_ref().map_or(trial.bound, |intact| intact.bound);
                let checks = resilient(&found.experiment, &trial);
                intact.get_or_insert(trial);
                checks.into_iter().filter(|check| !check.holds).collect()
            }
            // Without this policy there is not even a steady state. Whatever else keeps it from being played says nothing
            // of the policy.
            Err(error @ ExperimentError::NotSteady { .. }) if ablation.is_some() => {
                vec![table::could_not(&error)]
            }
            Err(error) => return Err(error),
        };
        rows.push(row);
    }
    Ok(rows)
}
