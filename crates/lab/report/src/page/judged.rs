//! A verdict in the words of a page: grouped by side, so that nobody takes a fall that was predicted for a failure.

use holdfast_checker::plan::Side;
use holdfast_checker::verdict::{Check, Finding, Verdict};

/// The checks of one side, or those of the whole.
pub(super) struct Group<'a> {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) holds: &'static str,
    pub(super) violated: &'static str,
    pub(super) checks: Vec<&'a Check>,
}

/// Those that have checks.
pub(super) fn groups(verdict: &Verdict) -> Vec<Group<'_>> {
    let of_side = |side| verdict.checks.iter().filter(move |it| it.side == side);
    [None, Some(Side::Naive), Some(Side::Resilient)]
        .into_iter()
        .map(|side| group(side, of_side(side).collect()))
        .filter(|group| !group.checks.is_empty())
        .collect()
}

/// The verdict in a word.
pub fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Held => "PASSED",
        Finding::Unknown => "UNKNOWN",
        Finding::Failed => "DEVIATED",
    }
}

/// The verdict in a sentence.
pub fn sentence(verdict: &Verdict) -> String {
    let all = verdict.checks.len();
    let (violated, unknown) = (
        verdict.count(Finding::Failed),
        verdict.count(Finding::Unknown),
    );
    match (all, violated, unknown) {
        (0, ..) => "Nothing was checked, so nothing was shown.".to_owned(),
        (_, 0, 0) => format!(
            "Both sides did what was predicted, and the fault was real: all {all} checks hold."
        ),
        (_, 0, unknown) => format!("{unknown} of {all} checks could not be measured."),
        (_, 1, _) => format!("1 of {all} checks was not seen as predicted."),
        _ => format!("{violated} of {all} checks were not seen as predicted."),
    }
}

fn group(side: Option<Side>, checks: Vec<&Check>) -> Group<'_> {
    let name = side.map_or("The experiment", Side::name);
    let meaning = match side {
        None => "whether it can prove anything",
        Some(Side::Naive) => "predicted to fall: \u{201c}as predicted\u{201d} means that it did",
        Some(_) => "has to hold, at the cost that was predicted",
    };
    let (holds, violated) = match side {
        Some(Side::Naive) => ("as predicted", "not as predicted"),
        _ => ("holds", "violated"),
    };
    Group {
        name,
        meaning,
        holds,
        violated,
        checks,
    }
}
