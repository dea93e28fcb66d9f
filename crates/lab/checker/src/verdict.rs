//! The judgement on an experiment: pure, from the plan and what was seen.
//!
//! The general checks come first. They ask whether the trials can prove anything: something was broken and healed, as
//! probes saw it; all was well before, and on the resilient side afterwards; both sides met the same load, punctually. Then
//! each side must show what the experiment says of it. What cannot be measured does not hold, and has not failed: it is unknown.

mod expected;
mod first;
mod general;
mod steady;
mod words;

use serde::{Deserialize, Serialize};

use super::plan::{Experiment, Side, Window};
use super::trial::Trial;

pub use expected::shown;
pub use first::{first_against, first_bad};
pub(crate) use steady::judged_until;
pub use steady::steady_before;
pub use words::{figure, limits};

/// What does not hold where something broke off.
const PLAYED_TO_THE_END: &str = "played to the end";

/// Holds both trials against the experiment.
pub fn judge(plan: &Experiment, naive: &Trial, resilient: &Trial) -> Verdict {
    let mut checks = vec![general::something_was_broken(plan)];
    checks.extend(side(plan, naive));
    checks.extend(side(plan, resilient));
    checks.push(steady::steady_after(resilient));
    checks.extend(general::contract(resilient));
    checks.push(general::same_arrivals(naive, resilient));
    checks.extend(shown(&plan.naive, naive));
    checks.extend(shown(&plan.resilient, resilient));
    Verdict { checks }
}

/// Holds a trial of the resilient side against the experiment, without the other side.
pub fn resilient(plan: &Experiment, trial: &Trial) -> Vec<Check> {
    let mut checks = side(plan, trial);
    checks.push(steady::steady_after(trial));
    checks.extend(general::contract(trial));
    checks.extend(shown(&plan.resilient, trial));
    checks
}

/// Holds a trial of somebody else's API against what the resilient side must show.
pub fn contender(plan: &Experiment, trial: &Trial) -> Verdict {
    let mut checks = vec![general::something_was_broken(plan)];
    checks.extend(side(plan, trial));
    checks.push(steady::steady_after(trial));
    checks.extend(shown(&plan.resilient, trial));
    checks.extend(trial.contender.iter().map(general::ended));
    Verdict { checks }
}

/// What a trial must be like to prove anything, whatever its experiment expects: something was broken, and came back.
pub fn broken(plan: &Experiment, trial: &Trial) -> Vec<Check> {
    let mut checks = vec![general::something_was_broken(plan)];
    checks.extend(general::faults(plan, trial));
    checks
}

/// What either side must be like to prove anything.
fn side(plan: &Experiment, trial: &Trial) -> Vec<Check> {
    let mut checks = general::faults(plan, trial);
    checks.push(steady::before_the_fault(plan, trial));
    checks.push(general::punctual(trial));
    checks
}

/// All that had to be seen, and whether it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Every check, the general ones first.
    pub checks: Vec<Check>,
}

/// Something that had to be seen on one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// On which side; none: of the experiment as a whole.
    pub side: Option<Side>,
    /// What it is about, such as `p99` or `the fault was live`.
    pub name: String,
    /// Of which calls; none: of no calls.
    pub during: Option<Window>,
    /// What had to be seen, in words: `at most 3.7 s`.
    pub expected: String,
    /// What was seen, in words: `4.91 s`.
    pub seen: String,
    /// The figure itself, where there is one, in the metric's own unit.
    pub value: Option<f64>,
    pub holds: bool,
    /// Whether nobody can say: it could not be measured. It does not hold then, and has not failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

/// What a check came to, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It was seen.
    Held,
    /// It could not be measured.
    Unknown,
    /// Something else was seen.
    Failed,
}

impl Check {
    /// About no figure.
    pub fn plain(
        side: Option<Side>,
        name: &str,
        expected: &str,
        seen: String,
        holds: bool,
    ) -> Self {
        Self {
            side,
            name: name.to_owned(),
            during: None,
            expected: expected.to_owned(),
            seen,
            value: None,
            holds,
            unknown: false,
        }
    }

    /// In place of all that cannot be said of what broke off.
    pub fn broke_off(side: Option<Side>, expected: &str, seen: String) -> Self {
        Self::plain(side, PLAYED_TO_THE_END, expected, seen, false)
    }

    pub fn finding(&self) -> Finding {
        match (self.holds, self.unknown) {
            (true, _) => Finding::Held,
            (false, true) => Finding::Unknown,
            (false, false) => Finding::Failed,
        }
    }
}

impl Verdict {
    /// Whether not all was played that should have been.
    pub fn broke_off(&self) -> bool {
        let mut checks = self.checks.iter();
        checks.any(|check| check.name == PLAYED_TO_THE_END && !check.holds)
    }

    /// How many checks came to this.
    pub fn count(&self, finding: Finding) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.finding() == finding).count()
    }

    /// What all of it came to: one that failed outweighs what is unknown, and nothing that was checked has shown nothing.
    pub fn finding(&self) -> Finding {
        let findings = self.checks.iter().map(Check::finding);
        findings.max().unwrap_or(Finding::Failed)
    }

    /// Whether none of it failed. What is unknown has not.
    pub fn stands(&self) -> bool {
        self.finding() != Finding::Failed
    }

    /// Whether all of it holds.
    pub fn passed(&self) -> bool {
        self.finding() == Finding::Held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answered, plan, played};

    /// The checks that do not hold once `change` has been made to what was well.
    pub(super) fn failing(
        change: impl FnOnce(&mut Experiment, &mut Trial, &mut Trial),
    ) -> Vec<Check> {
        let mut plan = plan();
        let (mut naive, mut resilient) = played();
        change(&mut plan, &mut naive, &mut resilient);
        let mut checks = judge(&plan, &naive, &resilient).checks;
        checks.retain(|check| !check.holds);
        checks
    }

    #[test]
    fn general_checks_come_first_and_each_side_has_its_own() {
        let (naive, resilient) = played();
        let checks = judge(&plan(), &naive, &resilient).checks;
        let told: Vec<_> = checks
            .iter()
            .map(|check| (check.side, check.name.as_str()))
            .collect();
        let (naive, resilient) = (Some(Side::Naive), Some(Side::Resilient));
        assert_eq!(
            told,
            [
                (None, "something was broken"),
                (naive, "worker kill at 3 s was live"),
                (naive, "worker kill at 3 s healed"),
                (naive, "steady before"),
                (naive, "the load was punctual"),
                (resilient, "worker kill at 3 s was live"),
                (resilient, "worker kill at 3 s healed"),
                (resilient, "steady before"),
                (resilient, "the load was punctual"),
                (resilient, "steady after"),
                (resilient, "every answer keeps the contract"),
                (None, "both sides met the same arrivals"),
                (naive, "error_share"),
                (resilient, "promised_share"),
                (resilient, "time_to_recover"),
            ]
        );
    }

    #[test]
    fn the_resilient_side_alone_is_held_against_all_that_it_has_in_both() {
        let (naive, mut trial) = played();
        trial.calls[40].end = answered(503);
        trial.faults[0].healed.holds = false;
        let mut both = judge(&plan(), &naive, &trial).checks;
        both.retain(|check| check.side == Some(Side::Resilient));
        assert_eq!(resilient(&plan(), &trial), both);
        assert_eq!(both.iter().filter(|check| !check.holds).count(), 2);
    }

    #[test]
    fn what_falls_and_holds_as_said_passes_but_not_with_one_check_that_fails_or_with_none() {
        let (naive, resilient) = played();
        let mut verdict = judge(&plan(), &naive, &resilient);
        assert!(verdict.passed(), "{verdict:#?}");
        verdict.checks[3].holds = false;
        assert!(!verdict.passed());
        assert!(!Verdict::default().passed());
    }
}
