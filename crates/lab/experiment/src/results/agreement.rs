//! Whether two runs of an experiment say the same. Pure.

use super::super::plan::{Side, Window};
use super::super::verdict::{Check, Finding, Verdict};
use crate::output::{Console, Tone};

/// Two verdicts, check by check. Figures differ between any two runs; what counts is whether the same checks hold.
pub(crate) struct Agreement {
    /// In the order of the first run's; what only the second has comes last.
    rows: Vec<Row>,
}

/// What both runs say of a check; none: that one has no such check.
struct Row {
    before: Option<Check>,
    now: Option<Check>,
}

impl Agreement {
    /// Pairs the checks of two runs: by side, name and window, and where several have these in common, in their order.
    pub(crate) fn of(before: &Verdict, now: &Verdict) -> Self {
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
    pub(crate) fn agrees(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(Row::agrees)
    }

    fn differences(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.agrees())
    }

    /// The table of differences, then the one word on it.
    pub(crate) fn print(&self, console: Console) {
        for row in self.differences() {
            console.print(console.paint(Tone::Strong, row.title()));
            for (run, told) in [("before", &row.before), ("now", &row.now)] {
                console.print(format_args!("  {run:<8}{}", words(told.as_ref())));
            }
        }
        let (differ, all) = (self.differences().count(), self.rows.len());
        let word = match (differ, all) {
            (0, 0) => "there is nothing to agree on".to_owned(),
            (0, _) => format!("the verdicts agree on all {all} checks"),
            _ => format!("the verdicts differ on {differ} of {all} checks"),
        };
        let tone = if self.agrees() { Tone::Good } else { Tone::Bad };
        console.print(console.paint(tone, word));
    }
}

impl Row {
    /// Whether both runs have it and say the same of it.
    fn agrees(&self) -> bool {
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => before.finding() == now.finding(),
            _ => false,
        }
    }

    /// Such as `resilient: p99 (fault)`.
    fn title(&self) -> String {
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
        let (side, expected) = (Some(Side::Resilient), "at most 3 s");
        Check {
            during: Some(Window::Fault),
            ..Check::plain(side, name, expected, seen.to_owned(), holds)
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
        let before = words(row.before.as_ref());
        assert_eq!(before, "holds: 2 s (expected: at most 3 s)");
        assert!(words(row.now.as_ref()).starts_with("does not hold: 4 s"));
    }

    #[test]
    fn a_check_of_one_run_only_is_a_difference_on_either_side() {
        let (p50, p99) = (check("p50", "1 s", true), check("p99", "1 s", true));
        let both = [p50.clone(), p99];
        for (before, now) in [(&both[..], &both[..1]), (&both[..1], &both[..])] {
            let agreement = agreement(before, now);
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
