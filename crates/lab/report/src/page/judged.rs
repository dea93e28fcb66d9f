//! A verdict in the words of a page: grouped by side, so that nobody takes a fall that was predicted for a failure.

use crate::words::tied;
use holdfast_checker::plan::{Side, Window};
use holdfast_checker::verdict::{Check, Finding, Verdict};

/// A verdict, worded.
pub(super) struct Judged<'a> {
    pub(super) passed: bool,
    pub(super) word: &'static str,
    pub(super) sentence: String,
    pub(super) groups: Vec<Group<'a>>,
}

/// The checks of one side, or those of the whole.
pub(super) struct Group<'a> {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) holds: &'static str,
    pub(super) violated: &'static str,
    pub(super) checks: Vec<Line<'a>>,
}

/// A check.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) during: &'static str,
    pub(super) expected: String,
    pub(super) seen: String,
    pub(super) holds: bool,
    pub(super) unknown: bool,
}

impl<'a> Judged<'a> {
    pub(super) fn of(verdict: &'a Verdict) -> Self {
        let passed = verdict.passed();
        let of_side = |side| {
            verdict
                .checks
                .iter()
                .filter(move |check| check.side == side)
        };
        let groups = [None, Some(Side::Naive), Some(Side::Resilient)]
            .into_iter()
            .map(|side| group(side, of_side(side).map(line).collect()))
            .filter(|group| !group.checks.is_empty());
        Self {
            passed,
            word: word(verdict.finding()),
            sentence: sentence(verdict),
            groups: groups.collect(),
        }
    }
}

/// The verdict in a word.
#[must_use]
pub fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Held => "PASSED",
        Finding::Unknown => "UNKNOWN",
        Finding::Failed => "DEVIATED",
    }
}

/// The verdict in a sentence.
#[must_use]
pub fn sentence(verdict: &Verdict) -> String {
    let all = verdict.checks.len();
    let violated = verdict.failed().count();
    let holding = verdict.checks.iter().filter(|check| check.holds).count();
    match (all, violated, all - violated - holding) {
        (0, ..) => "Nothing was checked, so nothing was shown.".to_owned(),
        (_, 0, 0) => format!(
            "Both sides did what was predicted, and the fault was real: all {all} checks hold."
        ),
        (_, 0, unknown) => format!("{unknown} of {all} checks could not be measured."),
        (_, 1, _) => format!("1 of {all} checks was not seen as predicted."),
        _ => format!("{violated} of {all} checks were not seen as predicted."),
    }
}

/// Which calls a check is about.
#[must_use]
pub fn during(window: Option<Window>) -> &'static str {
    match window {
        Some(Window::Fault) => "during the fault",
        Some(Window::After) => "after the fault",
        Some(Window::All) => "over all calls",
        None => "",
    }
}

fn group(side: Option<Side>, checks: Vec<Line<'_>>) -> Group<'_> {
    let (name, meaning, holds, violated) = match side {
        None => (
            "The experiment",
            "whether it can prove anything",
            "holds",
            "violated",
        ),
        Some(Side::Naive) => (
            "naive",
            "predicted to fall: \u{201c}as predicted\u{201d} means that it did",
            "as predicted",
            "not as predicted",
        ),
        Some(side @ (Side::Resilient | Side::Contender)) => (
            side.name(),
            "has to hold, at the cost that was predicted",
            "holds",
            "violated",
        ),
    };
    Group {
        name,
        meaning,
        holds,
        violated,
        checks,
    }
}

fn line(check: &Check) -> Line<'_> {
    Line {
        name: &check.name,
        during: during(check.during),
        expected: tied(&check.expected),
        seen: tied(&check.seen),
        holds: check.holds,
        unknown: check.finding() == Finding::Unknown,
    }
}
