//! Playing experiments, one after the other: naive and resilient trials, verdict, results, report.

mod combine;
mod contend;
mod listing;
mod pages;
mod reproduce;
mod session;
mod told;
mod turns;

use super::contender::Contender;
use super::find::{self, Found};
use super::results::Run;
use super::verdict::{Finding, Verdict};
use crate::error::ExperimentError;
use crate::output::{Console, Tone};
use crate::postgres::Patroni;
use crate::settings::{Settings, StageKind};

pub(super) use super::play::Trials;
pub use listing::list;
pub use pages::report;
pub use reproduce::reproduce;
pub(super) use session::Session;
use told::Told;
pub(super) use turns::Turns;

#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Names or paths; none: all there are.
    pub experiments: Option<Vec<String>>,
    /// In place of the experiments' own.
    pub seed: Option<u64>,
    /// Trials of each side.
    pub repeat: u32,
    /// Whether one that does not hold is played once more, and judged by that.
    pub retry: bool,
    /// Whether the verdicts are printed as JSON, and nothing else is.
    pub json: bool,
    pub keep: bool,
    /// Whose API is judged, in the place of both sides of ours.
    pub contender: Option<Contender>,
}

/// How it came out, over all that was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All verdicts hold.
    Held,
    /// One could not be measured in full, and no other deviates.
    Unknown,
    /// One does not hold.
    Deviated,
    /// One experiment could not be played.
    NotPlayed,
}

impl Outcome {
    pub(super) fn held(held: bool) -> Self {
        if held { Self::Held } else { Self::Deviated }
    }

    /// Of a verdict on what is ours: what nobody can say has not passed.
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict.finding() {
            Finding::Held => Self::Held,
            Finding::Unknown => Self::Unknown,
            Finding::Failed => Self::Deviated,
        }
    }
}

/// Plays what is wished for. What cannot be played does not keep the others from being played; Ctrl-C does, and so does what
/// could not be taken down.
///
/// # Errors
/// When nothing could be played: a file is no experiment, the stage cannot be had. Ctrl-C.
pub async fn run(
    options: &RunOptions,
    settings: &Settings,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let found = find::experiments(options.experiments.as_deref(), &settings.root);
    if let (Err(error), true) = (&found, options.json) {
        told::as_json(&none_found(options, error), console);
    }
    let mut found = found?;
    for one in &mut found {
        one.experiment.load.seed = options.seed.unwrap_or(one.experiment.load.seed);
    }
    let stage = match options.contender {
        Some(_) => {
            contend::keep_those_with_one_of_each(options, &mut found, console)?;
            settings.on_processes("--api")?;
            StageKind::Local
        }
        None => settings.stage.unwrap_or(StageKind::Local),
    };
    if options.experiments.is_none() && stage == StageKind::Local {
        keep_those_installed(&mut found, console);
    }
    let (here, elsewhere) = on_stage(stage, found);
    // What was asked for by name and is left out could not be played; of all there are, some are for the other stage.
    let refused = match options.experiments {
        Some(_) => left_out(stage, &elsewhere),
        None => Vec::new(),
    };
    if here.is_empty() {
        if options.json {
            told::as_json(&refused, console);
        }
        return Err(nothing_for(stage, &elsewhere));
    }
    let mut session = Session::gather(stage, settings, console).await?;
    let outcome = all(options, &here, refused, &mut session, console).await;
    session.leave(&outcome).await;
    for one in &elsewhere {
        console.say(format_args!("left out: {}", why_not(stage, one)));
    }
    outcome
}

/// Of all that were named: with one that is no experiment none is played.
fn none_found(options: &RunOptions, error: &ExperimentError) -> Vec<Told> {
    let named = options.experiments.iter().flatten();
    named.map(|name| Told::not_played(name, error)).collect()
}

fn left_out(stage: StageKind, elsewhere: &[Found]) -> Vec<Told> {
    let told = |one: &Found| Told::not_played(&one.experiment.name, why_not(stage, one));
    elsewhere.iter().map(told).collect()
}

/// `told` begins with what could not even be tried.
async fn all(
    options: &RunOptions,
    experiments: &[Found],
    mut told: Vec<Told>,
    session: &mut Session<'_>,
    console: Console,
) -> Result<Outcome, ExperimentError> {
    let mut end = None;
    let mut turns = turns(options, experiments, session);
    for one in experiments {
        if let Some(turn) = turns.next() {
            console.say(console.paint(Tone::Faint, turn));
        }
        let mut played = play(options, one, session).await;
        if options.retry && played.as_ref().is_ok_and(|run| !passed(options, run)) {
            let name = &one.experiment.name;
            let again = format!("{name} deviated: it is played once more, which counts");
            console.say(console.paint(Tone::Warning, again));
            played = play(options, one, session).await;
        }
        match played {
            Ok(run) => told.push(Told::Played {
                experiment: run.about.name.clone(),
                contender: options.contender.as_ref().map(|it| it.name.clone()),
                run: run.id(),
                passed: passed(options, &run),
                verdict: run.verdict,
            }),
            Err(error) => {
                told.push(Told::not_played(&one.experiment.name, &error));
                if error.is_interrupted() || error.is_not_rolled_back() {
                    end = Some(error);
                    break;
                }
                error.tell(console);
            }
        }
    }
    if options.json {
        told::as_json(&told, console);
    } else if told.len() > 1 {
        told::sum_up(&told, console);
    }
    match end {
        Some(error) => Err(error),
        None => Ok(told::outcome(&told)),
    }
}

async fn play(
    options: &RunOptions,
    one: &Found,
    session: &mut Session<'_>,
) -> Result<Run, ExperimentError> {
    match &options.contender {
        Some(contender) => session.contend(contender, one, options).await,
        None => session.play(one, options).await,
    }
}

/// A stranger's API need not tell enough for all of it; of ours, what nobody can say has not passed.
fn passed(options: &RunOptions, run: &Run) -> bool {
    match options.contender {
        Some(_) => run.verdict.stands(),
        None => run.verdict.passed(),
    }
}

fn turns(options: &RunOptions, experiments: &[Found], session: &Session<'_>) -> Turns {
    let sides = if options.contender.is_some() { 1 } else { 2 };
    let load = |one: &Found| session.on_this_stage(&one.experiment).load.lasts;
    let planned = experiments
        .iter()
        .map(|one| load(one) * sides * options.repeat);
    Turns::of(planned.collect())
}

/// What all there are need is not everywhere; who asks for one by name is told what is missing.
fn keep_those_installed(found: &mut Vec<Found>, console: Console) {
    let Err(missing) = Patroni::is_installed() else {
        return;
    };
    let replicated = |one: &mut Found| one.experiment.system.replication.is_some();
    for one in found.extract_if(.., replicated) {
        console.say(format_args!("left out: {}: {missing}", one.experiment.name));
    }
}

/// Those that can be played on the stage, and the others.
pub(super) fn on_stage(stage: StageKind, found: Vec<Found>) -> (Vec<Found>, Vec<Found>) {
    let here = |one: &Found| one.experiment.unplayable_on(stage).is_none();
    found.into_iter().partition(here)
}

pub(super) fn nothing_for(stage: StageKind, experiments: &[Found]) -> ExperimentError {
    let why_not: Vec<String> = experiments.iter().map(|it| why_not(stage, it)).collect();
    ExperimentError::Experiment(why_not.join("; "))
}

/// Why it cannot be played on `stage`, and where it can.
fn why_not(stage: StageKind, found: &Found) -> String {
    let experiment = &found.experiment;
    let (name, stage_name) = (&experiment.name, stage.name());
    let why = experiment.unplayable_on(stage).unwrap_or_default();
    let elsewhere = experiment.stages.iter().find(|it| **it != stage);
    let elsewhere = elsewhere.map_or("another one", |it| it.name());
    format!("{name} cannot be played on the {stage_name} stage: {why}; give STAGE={elsewhere}")
}
