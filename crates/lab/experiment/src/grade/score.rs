//! What an answer earned: pure, from the exercise and what was seen.

use serde::Serialize;

use super::exercise::{Asked, Exercise, Judged};
use crate::measure::measure;
use crate::plan::{Metric, Window};
use crate::trial::Trial;
use crate::verdict::{Check, Finding, first_against, shown};

pub(super) struct Played {
    pub(super) experiment: String,
    /// Or why it could not be.
    pub(super) trial: Result<Trial, String>,
}

/// A requirement, and what it earned.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) experiment: String,
    pub(super) why: String,
    pub(super) weight: u32,
    pub(super) earned: u32,
    /// What had to be seen and what was, a line each.
    pub(super) seen: Vec<String>,
    /// The first call that broke a rule; none: none did, or the requirement is met.
    pub(super) first_call: Option<String>,
}

pub(super) fn points(entries: &[Entry]) -> u32 {
    entries.iter().map(|entry| entry.earned).sum()
}

pub(super) fn entries(exercise: &Exercise, played: &[Played]) -> Vec<Entry> {
    let judged = exercise.judged.iter();
    judged.map(|judged| entry(judged, played)).collect()
}

/// What became of what was asked for beforehand; none: it could not be measured.
pub(super) fn figure(asked: &Asked, played: &[Played]) -> Option<f64> {
    let mut metrics = Metric::ALL.iter();
    let metric = *metrics.find(|it| it.name() == asked.metric)?;
    let played = played.iter().find(|it| it.experiment == asked.experiment)?;
    let trial = played.trial.as_ref().ok()?;
    measure(metric, Window::Fault, trial).ok()
}

fn entry(judged: &Judged, played: &[Played]) -> Entry {
    let mut entry = Entry {
        experiment: judged.experiment.clone(),
        why: judged.why.clone(),
        weight: judged.weight,
        earned: 0,
        seen: Vec::new(),
        first_call: None,
    };
    let played = played.iter().find(|it| it.experiment == judged.experiment);
    match played.map(|it| &it.trial) {
        None => entry.seen.push("it was not played".to_owned()),
        Some(Err(why)) => entry.seen.push(why.clone()),
        Some(Ok(trial)) => {
            let checks = shown(&judged.expected, trial);
            entry.seen = checks.iter().map(line).collect();
            if checks.iter().all(|check| check.holds) {
                entry.earned = judged.weight;
            } else {
                entry.first_call = first_against(&judged.expected, trial);
            }
        }
    }
    entry
}

fn line(check: &Check) -> String {
    let Check {
        name,
        expected,
        seen,
        ..
    } = check;
    let mark = match check.finding() {
        Finding::Held => "✓",
        Finding::Failed => "✗",
        Finding::Unknown => "?",
    };
    format!("{mark} {name} {seen} ({expected})")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fixtures::played;

    const EXERCISE: &str = "title = 't'\nstory = 's'\ntask = 't'\nbound = '4s'\nstarter = { policies = 'p' }
        [[judged]]\nexperiment = 'a'\nweight = 60\nwhy = 'w'\nshows = { promised_share = { at_least = 0.99 }, lost = { at_most = 0 } }
        [[judged]]\nexperiment = 'b'\nweight = 40\nwhy = 'w'\nshows = { lost = { at_most = 0 } }\n";

    fn earned(trials: [Result<Trial, String>; 2]) -> (u32, Vec<Entry>) {
        let exercise = Exercise::parse(Path::new("x.toml"), EXERCISE).unwrap();
        let [a, b] = trials;
        let played = [("a", a), ("b", b)].map(|(name, trial)| Played {
            experiment: name.to_owned(),
            trial,
        });
        let entries = entries(&exercise, &played);
        (points(&entries), entries)
    }

    #[test]
    fn a_requirement_earns_its_weight_whole_or_not_at_all() {
        let (naive, resilient) = played();
        let (points, _) = earned([Ok(resilient.clone()), Ok(resilient.clone())]);
        assert_eq!(points, 100);
        let (points, entries) = earned([Ok(naive), Ok(resilient)]);
        assert_eq!(points, 40);
        assert!(entries[0].first_call.is_some());
        assert!(entries[0].seen[0].starts_with('✗'), "{entries:?}");
    }

    #[test]
    fn what_could_not_be_played_earns_nothing_and_says_why() {
        let (points, entries) = earned([Err("refused".to_owned()), Err("refused".to_owned())]);
        assert_eq!(points, 0);
        assert_eq!(entries[1].seen, ["refused"]);
    }
}
