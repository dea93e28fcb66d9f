//! One verdict from several trials of each side: a check holds if it holds every time.

use super::super::plan::{Experiment, Side};
use super::super::statistics::median;
use super::super::trial::Trial;
use super::super::verdict::{Check, Finding, Verdict, contender as judge_contender, judge};
use crate::error::ExperimentError;

pub(super) fn verdict(experiment: &Experiment, trials: &[Trial]) -> Verdict {
    let judged = |(pair, [naive, resilient]): (u64, [&Trial; 2])| {
        judge(&experiment.of_pair(pair), naive, resilient)
    };
    together((0..).zip(pairs(trials)).map(judged).collect())
}

/// The pair that is worth a look: the first in which something did not hold, else the first. None: there is none.
pub(super) fn telling<'a>(experiment: &Experiment, trials: &'a [Trial]) -> Option<[&'a Trial; 2]> {
    let deviates = |(pair, [naive, resilient]): &(u64, [&Trial; 2])| {
        !judge(&experiment.of_pair(*pair), naive, resilient).passed()
    };
    let deviated = (0..).zip(pairs(trials)).find(deviates);
    deviated
        .map(|(_, pair)| pair)
        .or_else(|| pairs(trials).next())
}

/// The first naive trial with the first resilient one, and so on.
fn pairs(trials: &[Trial]) -> impl Iterator<Item = [&Trial; 2]> {
    let of = |side: Side| trials.iter().filter(move |trial| trial.side == side);
    of(Side::Naive).zip(of(Side::Resilient)).map(<[_; 2]>::from)
}

pub(super) fn contender(experiment: &Experiment, trials: &[Trial]) -> Verdict {
    let judged = |(pair, trial)| judge_contender(&experiment.of_pair(pair), trial);
    together((0..).zip(trials).map(judged).collect())
}

/// Of what was played of `asked` trials until `error`: what was not played has not passed.
pub(super) fn unfinished(
    experiment: &Experiment,
    trials: &[Trial],
    asked: u32,
    error: &ExperimentError,
) -> Verdict {
    let mut verdict = verdict(experiment, trials);
    let seen = format!("{}, then: {error}", trials.len());
    let broke_off = Check::broke_off(None, &format!("{asked} trials"), seen);
    verdict.checks.push(broke_off);
    verdict
}

fn together(mut verdicts: Vec<Verdict>) -> Verdict {
    if verdicts.len() < 2 {
        return verdicts.pop().unwrap_or_default();
    }
    // Of the same plan there are the same checks, in the same order.
    let fewest = verdicts.iter().map(|it| it.checks.len()).min();
    let check = |index| {
        let same: Vec<&Check> = verdicts.iter().map(|it| &it.checks[index]).collect();
        combined(&same)
    };
    Verdict {
        checks: (0..fewest.unwrap_or_default()).map(check).collect(),
    }
}

/// What was seen is told of a time when it did not hold, if there was one.
fn combined(same: &[&Check]) -> Check {
    let held = same.iter().filter(|check| check.holds).count();
    let values: Vec<f64> = same.iter().filter_map(|check| check.value).collect();
    let failed = same.iter().find(|check| check.finding() == Finding::Failed);
    let amiss = failed.or_else(|| same.iter().find(|check| !check.holds));
    let told = amiss.unwrap_or(&same[0]);
    Check {
        seen: format!("{} ({held} of {} hold)", told.seen, same.len()),
        value: median(&values),
        holds: held == same.len(),
        unknown: failed.is_none() && held < same.len(),
        ..(*told).clone()
    }
}

#[cfg(test)]
mod tests {
    use holdfast_system::error::SystemError;

    use super::*;
    use crate::fixtures::{answered, plan, played};

    fn verdict(seen: &str, value: f64, holds: bool) -> Verdict {
        let (side, value) = (Some(Side::Naive), Some(value));
        let check = Check::plain(side, "p99", "at least 3 s", seen.to_owned(), holds);
        Verdict {
            checks: vec![Check { value, ..check }],
        }
    }

    #[test]
    fn a_check_holds_if_it_holds_every_time_and_else_shows_when_it_did_not() {
        let both = [verdict("4 s", 4.0, true), verdict("5 s", 5.0, true)];
        let both = together(both.to_vec());
        assert!(both.passed());
        assert_eq!(both.checks[0].seen, "4 s (2 of 2 hold)");
        assert_eq!(both.checks[0].value, Some(4.5));
        let one = together(vec![verdict("4 s", 4.0, true), verdict("1 s", 1.0, false)]);
        assert!(!one.passed());
        assert_eq!(one.checks[0].seen, "1 s (1 of 2 hold)");
    }

    #[test]
    fn a_check_that_is_unknown_once_is_unknown_unless_it_failed_another_time() {
        let mut unknown = verdict("not sampled", 0.0, false);
        unknown.checks[0].unknown = true;
        let finding = |others: &[Verdict]| {
            let all = [&[unknown.clone()], others].concat();
            together(all).checks[0].finding()
        };
        assert_eq!(finding(&[verdict("4 s", 4.0, true)]), Finding::Unknown);
        assert_eq!(finding(&[verdict("1 s", 1.0, false)]), Finding::Failed);
    }

    #[test]
    fn of_one_trial_the_verdict_is_its_own_and_of_none_nothing_passes() {
        let one = verdict("4 s", 4.0, true);
        assert_eq!(together(vec![one.clone()]), one);
        assert!(!together(Vec::new()).passed());
    }

    #[test]
    fn what_broke_off_has_not_passed_and_says_why_though_all_that_was_played_holds() {
        let (naive, resilient) = played();
        let trials = [naive, resilient];
        let whole = super::verdict(&plan(), &trials);
        assert!(whole.passed() && !whole.broke_off());
        let unfinished = unfinished(&plan(), &trials, 4, &SystemError::Interrupted.into());
        assert!(!unfinished.passed() && unfinished.broke_off());
        let broken: Vec<_> = unfinished.checks.iter().filter(|it| !it.holds).collect();
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].expected, "4 trials");
        let seen = format!("2, then: {}", SystemError::Interrupted);
        assert_eq!(broken[0].seen, seen);
    }

    #[test]
    fn the_pair_that_deviated_is_the_one_to_look_at() {
        let ((naive, good), (_, mut bad)) = (played(), played());
        bad.calls[40].end = answered(503);
        let trials = [&naive, &good, &naive, &bad].map(Clone::clone);
        assert_eq!(telling(&plan(), &trials), Some([&naive, &bad]));
        assert_eq!(telling(&plan(), &trials[..2]), Some([&naive, &good]));
        assert_eq!(telling(&plan(), &trials[..1]), None);
    }
}
