//! The rules between keys. Each breach names key, value and rule.

mod faults;

use std::time::Duration;

use super::error::Broken;
use super::location::Location;
use crate::plan::{Experiment, Load};
use crate::stage::StageKind;

/// Steady state that must be seen before the first fault and after the last.
const STEADY: Duration = Duration::from_secs(2);
/// What nobody waits out in a class, and no sum of times overflows with.
const LONGEST: Duration = Duration::from_secs(3600);

/// Load arrives only after it, and who plays the experiment waits.
const LONGEST_WARMUP: Duration = Duration::from_secs(60);

/// Each is a process of its own.
const MOST_WORKERS: u32 = 8;

/// `plan.faults` are still in the order of the file.
pub(super) fn check(plan: &Experiment) -> Result<(), Broken> {
    words(plan)?;
    stages(plan)?;
    system(plan)?;
    load(&plan.load)?;
    faults::check(plan)
}

fn words(plan: &Experiment) -> Result<(), Broken> {
    let speaks = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let named = !plan.name.is_empty() && plan.name.chars().all(speaks);
    let rule = "the file's name must be of letters, digits, - and _: it names the results";
    holds(named, Location::default(), rule)?;
    for (key, text) in [
        ("title", &plan.title),
        ("question", &plan.question),
        ("prediction", &plan.prediction),
    ] {
        holds(!text.trim().is_empty(), at(key), "must say something")?;
    }
    Ok(())
}

fn stages(plan: &Experiment) -> Result<(), Broken> {
    let stages = &plan.stages;
    holds(!stages.is_empty(), at("stages"), "must name one")?;
    let mut numbered = stages.iter().enumerate();
    let twice = numbered.any(|(at, it)| stages[..at].contains(it));
    let modelled = stages.contains(&StageKind::Virtual);
    let rule = "must not name virtual: there whatever the model has can be played";
    holds(!modelled, at("stages"), rule)?;
    holds(!twice, at("stages"), "must name each once")
}

fn system(plan: &Experiment) -> Result<(), Broken> {
    let system = &plan.system;
    let quick = system.work_delay <= Duration::from_secs(10);
    holds(quick, at("system.work_delay"), "must be at most 10s")?;
    if let Some(lasts) = system.work_warmup {
        let key = at("system.work_warmup");
        let some = !lasts.is_zero() && lasts <= LONGEST_WARMUP;
        holds(some, key.clone(), "must be above 0 and at most 1m")?;
        let rule = "needs system.work_capacity, of which there is less at first";
        holds(system.work_capacity.is_some(), key, rule)?;
    }
    let local_only = plan.stages == [StageKind::Local];
    let (workers, key) = (system.workers.get(), || at("system.workers"));
    holds(workers <= MOST_WORKERS, key(), "must be at most 8")?;
    let rule = "must be 1 unless stages is [\"local\"]";
    holds(workers == 1 || local_only, key(), rule)?;
    let mut both = plan.naive.iter().chain(&plan.resilient);
    let of_endpoints = both.any(|it| it.metric.is_of_endpoints());
    let rule = "must be above 1 where an expectation asks when an endpoint was ejected";
    holds(workers > 1 || !of_endpoints, key(), rule)?;
    let single = system.replication.is_none();
    let rule = "needs stages = [\"local\"]";
    holds(single || local_only, at("system.replication"), rule)
}

fn load(load: &Load) -> Result<(), Broken> {
    let rate = (0.1..=2000.0).contains(&load.rate);
    holds(rate, at("load.rate"), "must be from 0.1 to 2000")?;
    let lasts = (STEADY * 2..=LONGEST).contains(&load.lasts);
    let rule = "must be from 4s to 1h: 2s of steady state at each end";
    holds(lasts, at("load.for"), rule)?;
    let patience = (Duration::from_millis(100)..=LONGEST).contains(&load.patience);
    holds(patience, at("load.patience"), "must be from 100ms to 1h")?;
    if let Some(limit) = load.try_for {
        let rule = "must be above 0 and at most load.patience";
        let some = !limit.is_zero() && limit <= load.patience;
        holds(some, at("load.try_for"), rule)?;
    }
    let early = |time: Duration| !time.is_zero() && time < load.patience;
    let rule = "must be above 0 and below load.patience";
    if let Some(pause) = load.asks_again {
        holds(early(pause), at("load.asks_again"), rule)?;
    }
    let Some(leaving) = load.leaving else {
        return Ok(());
    };
    let some_stay = leaving.share > 0.0 && leaving.share < 1.0;
    let judged = "must be above 0 and below 1: who leaves cannot be judged";
    holds(some_stay, at("load.leaving.share"), judged)?;
    holds(early(leaving.after), at("load.leaving.after"), rule)
}

/// Such as `load.rate`.
fn at(keys: &str) -> Location {
    let keys = keys.split('.');
    keys.fold(Location::default(), |location, key| location.key(key))
}

fn holds(holds: bool, location: Location, rule: impl Into<String>) -> Result<(), Broken> {
    match holds {
        true => Ok(()),
        false => Err(Broken::rule(location, rule)),
    }
}
