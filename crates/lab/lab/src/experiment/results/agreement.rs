//! Whether two runs of an experiment say the same. Pure.

use super::super::plan::{Side, Window};
use super::super::verdict::{Check, Verdict};
use crate::output::{Console, Tone};

/// Two verdicts, check by check. Figures differ between any two runs; what counts is whether the same checks hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// In the order of the first run's; what only the second has comes last.
    pub rows: Vec<Row>,
}

/// One check of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// On which side; none: of the experiment as a whole.
    pub side: Option<Side>,
    /// What it is about.
    pub name: String,
    /// Of which calls.
    pub during: Option<Window>,
    /// What the first run says; none: it has no such check.
    pub before: Option<Told>,
    /// What the second says; none: it has no such check.
    pub now: Option<Told>,
}

/// What a run says of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What had to be seen.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Agreement {
    /// Pairs the checks of two runs: by side, name and window, and where several have these in common, in their order.
    #[must_use]
    pub fn of(before: &Verdict, now: &Verdict) -> Self {
        let mut others: Vec<&Check> = now.checks.iter().collect();
        let mut rows = Vec::new();
        for check in &before.checks {
            let place = others
                .iter()
                .position(|other| subject(other) == subject(check));
            let other = place.map(|place| others.remove(place));
            rows.push(row(check, Some(check), other));
        }
        rows.extend(
            others
                .into_iter()
                .map(|check| row(check, None, Some(check))),
        );
        Self { rows }
    }

    /// Whether both have the same checks, at least one, and each holds in both or in neither.
    #[must_use]
    pub fn agrees(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::agrees)
    }

    /// Where they differ.
    pub fn differences(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.agrees())
    }

    /// The table of differences, then the one word on it.
    pub fn print(&self, console: Console) {
        for row in self.differences() {
            console.print(console.paint(Tone::Strong, row.title()));
            for (run, told) in [("before", &row.before), ("now", &row.now)] {
                console.print(format_args!("  {run:<8}{}", words(told.as_ref())));
            }
        }
        let (differ, all) = (self.differences().count(), self.rows.len());
        let (tone, word) = match (self.agrees(), all) {
            (true, _) => (
                Tone::Good,
                format!("the verdicts agree on all {all} checks"),
            ),
            (false, 0) => (Tone::Bad, "there is nothing to agree on".to_owned()),
            (false, _) => (
                Tone::Bad,
                format!("the verdicts differ on {differ} of {all} checks"),
            ),
        };
        console.print(console.paint(tone, word));
    }
}

impl Row {
    /// Whether both runs have it and say the same of it.
    #[must_use]
    pub fn agrees(&self) -> bool {
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => before.holds == now.holds,
            _ => false,
        }
    }

    /// Such as `resilient: p99 (fault)`.
    #[must_use]
    pub fn title(&self) -> String {
        let side = self.side.map(|side| format!("{side}: "));
        let during = self.during.map(|window| match window {
            Window::Fault => " (fault)",
            Window::After => " (after)",
            Window::All => " (all)",
        });
        let (side, during) = (side.unwrap_or_default(), during.unwrap_or_default());
        format!("{side}{}{during}", self.name)
    }
}

fn subject(check: &Check) -> (Option<Side>, &str, Option<Window>) {
    (check.side, &check.name, check.during)
}

fn row(of: &Check, before: Option<&Check>, now: Option<&Check>) -> Row {
    let told = |check: &Check| Told {
        expected: check.expected.clone(),
        seen: check.seen.clone(),
        holds: check.holds,
    };
    Row {
        side: of.side,
        name: of.name.clone(),
        during: of.during,
        before: before.map(told),
        now: now.map(told),
    }
}

fn words(told: Option<&Told>) -> String {
    let Some(Told {
        expected,
        seen,
        holds,
    }) = told
    else {
        return "has no such check".to_owned();
    };
    let verdict = if *holds { "holds" } else { "does not hold" };
    format!("{verdict}: {seen} (expected: {expected})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, seen: &str, holds: bool) -> Check {
        Check {
            side: Some(Side::Resilient),
            name: name.to_owned(),
            during: Some(Window::Fault),
            expected: "at most 3 s".to_owned(),
            seen: seen.to_owned(),
            value: None,
            holds,
            unknown: false,
        }
    }

    fn agreement(before: &[Check], now: &[Check]) -> Agreement {
        let verdict = |checks: &[Check]| Verdict {
            checks: checks.to_vec(),
        };
        Agreement::of(&verdict(before), &verdict(now))
    }

    #[test]
    fn other_figures_agree_as_long_as_the_same_checks_hold_in_whatever_order() {
        let before = [check("p50", "1 s", true), check("p99", "4 s", false)];
        let now = [check("p99", "5 s", false), check("p50", "2 s", true)];
        let agreement = agreement(&before, &now);
        assert!(agreement.agrees());
        assert_eq!(agreement.differences().count(), 0);
    }

    #[test]
    fn a_check_that_holds_in_one_run_only_is_a_difference_and_told_with_both_figures() {
        let before = [check("p50", "1 s", true), check("p99", "2 s", true)];
        let now = [check("p50", "1 s", true), check("p99", "4 s", false)];
        let agreement = agreement(&before, &now);
        assert!(!agreement.agrees());
        let [row] = agreement.differences().collect::<Vec<_>>()[..] else {
            panic!("one differs")
        };
        assert_eq!(row.title(), "resilient: p99 (fault)");
        assert_eq!(
            words(row.before.as_ref()),
            "holds: 2 s (expected: at most 3 s)"
        );
        assert!(words(row.now.as_ref()).starts_with("does not hold: 4 s"));
    }

    #[test]
    fn a_check_of_one_run_only_is_a_difference_on_either_side() {
        let (p50, p99) = (check("p50", "1 s", true), check("p99", "1 s", true));
        for (before, now) in [
            (vec![&p50, &p99], vec![&p50]),
            (vec![&p50], vec![&p50, &p99]),
        ] {
            let owned = |checks: Vec<&Check>| checks.into_iter().cloned().collect::<Vec<_>>();
            let agreement = agreement(&owned(before), &owned(now));
            assert!(!agreement.agrees());
            assert_eq!(agreement.differences().count(), 1);
        }
        let mut elsewhere = p50.clone();
        elsewhere.during = None;
        assert_eq!(agreement(&[p50], &[elsewhere]).differences().count(), 2);
    }

    #[test]
    fn checks_of_one_name_are_paired_in_their_order_and_nothing_agrees_with_nothing() {
        let two = [check("p50", "1 s", true), check("p50", "1 s", false)];
        let turned = [check("p50", "1 s", false), check("p50", "1 s", true)];
        assert!(agreement(&two, &two).agrees());
        assert_eq!(agreement(&two, &turned).differences().count(), 2);
        assert!(!agreement(&[], &[]).agrees());
    }
}
