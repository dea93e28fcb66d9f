//! Somebody else's API, held against what the resilient side must show.
//!
//! It is asked over HTTP, and the table `requests` is read at the end; what needs more than that is *unknown* of it, not
//! failed. What it is given and asked stands in `docs/your-own-api.md`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::plan::Metric;
use super::trial::{Call, Completion};
pub use crate::system::Contender;

/// What an API is called that has no name: by the last word of its command, as far as that makes the name of a folder.
#[must_use]
pub fn name_of(command: &str) -> String {
    let last = command.split_whitespace().next_back().unwrap_or_default();
    let file = last.rsplit('/').next().unwrap_or_default();
    let stem = file.split(['.', ':']).next().unwrap_or_default();
    let plain = stem
        .chars()
        .all(|it| it.is_alphanumeric() || matches!(it, '-' | '_'));
    match plain && !stem.is_empty() && !stem.starts_with('-') {
        true => stem.to_owned(),
        false => "contender".to_owned(),
    }
}

/// The figures that cannot be had of an API which showed no more than this.
pub(super) fn untold(bound: Option<Duration>, calls: &[Call], keyed_rows: bool) -> Vec<Metric> {
    let tells = |told: fn(&Completion) -> bool| calls.iter().any(|call| told(&call.end));
    let degraded = |end: &Completion| matches!(end, Completion::Answered { degraded, .. } if !degraded.is_empty());
    let recorded = |end: &Completion| matches!(end, Completion::Answered { recorded_in, .. } if recorded_in.is_some());
    // Breakers, if it has any, are its own business.
    let own = |it: &Metric| it.is_of_breakers() || it.is_of_endpoints();
    let mut untold: BTreeSet<_> = Metric::ALL.iter().copied().filter(own).collect();
    untold.extend(bound.is_none().then_some(Metric::OverBound));
    untold.extend((!tells(degraded)).then_some(Metric::DegradedShare));
    untold.extend((!tells(recorded)).then_some(Metric::Harmed));
    untold.extend((!keyed_rows).then_some(Metric::Duplicates));
    untold.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, answered, recorded_in, s, without_worker};

    #[test]
    fn an_api_without_a_name_is_called_after_the_last_word_of_its_command() {
        let names = [
            "python3 app/main.py",
            "uvicorn --port $PORT main:app",
            "./serve",
            "a; b -x",
        ];
        assert_eq!(names.map(name_of), ["main", "main", "serve", "contender"]);
    }

    fn untold_of(ends: &[Completion], bound: Option<Duration>, keyed_rows: bool) -> Vec<Metric> {
        let call = |scene: TrialFixture, end: &Completion| scene.call(s(4), s(1), end.clone());
        let scene = ends.iter().fold(TrialFixture::resilient(), call);
        untold(bound, &scene.trial.calls, keyed_rows)
    }

    #[test]
    fn an_api_that_answers_and_says_no_more_leaves_open_what_only_it_could_tell() {
        let bare = untold_of(&[answered(500)], None, false);
        let expected = [
            Metric::DegradedShare,
            Metric::OverBound,
            Metric::TimeToOpen,
            Metric::Relapses,
            Metric::TimeToEject,
            Metric::TimeToReadmit,
            Metric::Duplicates,
            Metric::Harmed,
        ];
        assert_eq!(bare, expected);
    }

    #[test]
    fn what_it_tells_is_judged() {
        let ends = [without_worker(), recorded_in("journal")];
        let told = untold_of(&ends, Some(s(4)), true);
        let never = [
            Metric::TimeToOpen,
            Metric::Relapses,
            Metric::TimeToEject,
            Metric::TimeToReadmit,
        ];
        assert_eq!(told, never);
    }
}
