//! Whether two runs of an experiment say the same. Pure.

use super::super::plan::{Side, Window};
use super::super::verdict::{Check, Finding, Verdict};
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
    /// What the first run says; none: it has no such check.
    pub before: Option<Check>,
    /// What the second says; none: it has no such check.
    pub now: Option<Check>,
}

impl Agreement {
    /// Pairs the checks of two runs: by side, name and window, and where several have these in common, in their order.
    #[must_use]
    pub fn of(before: &Verdict, now: &Verdict) -> Self {
        let mut others = now.checks.clone();
        let mut rows = Vec::new();
        for check in &before.checks {
            let place = others.iter().position(|it| subject(it) == subject(check));
            rows.push(Row {
                before: Some(check.clone()),
                now: place.map(|place| others.remove(place)),
            });
        }
        rows.extend(others.into_iter().map(|check| Row {
            before: None,
            now: Some(check),
        }));
        Self { rows }
    }

    /// Whether both have the same checks, at least one, and each came to the same in both.
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
            (Some(before), Some(now)) => before.finding() == now.finding(),
            _ => false,
        }
    }

    /// Such as `resilient: p99 (fault)`.
    #[must_use]
    pub fn title(&self) -> String {
        let Some(check) = self.before.as_ref().or(self.now.as_ref()) else {
            return String::new();
        };
        let side = check.side.map(|side| format!("{side}: "));
        let during = check.during.map(|window| format!(" ({})", window.name()));
        let (side, during) = (side.unwrap_or_default(), during.unwrap_or_default());
        format!("{side}{}{during}", check.name)
    }
}

fn subject(check: &Check) -> (Option<Side>, &str, Option<Window>) {
    (check.side, &check.name, check.during)
}

fn words(told: Option<&Check>) -> String {
    let Some(check) = told else {
        return "has no such check".to_owned();
    };
    let verdict = match check.finding() {
        Finding::Held => "holds",
        Finding::Failed => "does not hold",
        Finding::Unknown => "is unknown",
    };
    format!("{verdict}: {} (expected: {})", check.seen, check.expected)
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
