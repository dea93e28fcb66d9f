//! Somebody else's API, held against what the resilient side must show.
//!
//! It is asked over HTTP, and the table `requests` is read at the end; what needs more than that is *unknown* of it, not
//! failed. What it is given and asked stands in `docs/your-own-api.md`.

use std::time::Duration;

use super::plan::Metric;
use super::trial::Call;
pub use crate::system::Contender;

/// What an API is called that has no name: by the last word of its command, as far as that makes the name of a folder.
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
    let answers = || calls.iter().filter_map(|call| call.end.answer());
    let degrades = answers().any(|it| !it.degraded.is_empty());
    let records = answers().any(|it| it.recorded_in.is_some());
    let is_untold = |metric: &Metric| match metric {
        Metric::OverBound => bound.is_none(),
        Metric::DegradedShare => !degrades,
        Metric::Harmed => !records,
        Metric::Duplicates => !keyed_rows,
        // Breakers, if it has any, are its own business.
        metric => metric.is_of_breakers() || metric.is_of_endpoints(),
    };
    Metric::ALL.iter().copied().filter(is_untold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, answered, recorded_in, s, without_worker};
    use crate::trial::Completion;

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

    const ITS_OWN: [Metric; 4] = [
        Metric::TimeToOpen,
        Metric::Relapses,
        Metric::TimeToEject,
        Metric::TimeToReadmit,
    ];

    fn untold_of(ends: &[Completion], bound: Option<Duration>, keyed_rows: bool) -> Vec<Metric> {
        let call = |scene: TrialFixture, end: &Completion| scene.call(s(4), s(1), end.clone());
        let scene = ends.iter().fold(TrialFixture::resilient(), call);
        untold(bound, &scene.trial.calls, keyed_rows)
    }

    #[test]
    fn an_api_that_answers_and_says_no_more_leaves_open_what_only_it_could_tell() {
        let bare = untold_of(&[answered(500)], None, false);
        let (first, last) = (
            [Metric::DegradedShare, Metric::OverBound],
            [Metric::Duplicates, Metric::Harmed],
        );
        assert_eq!(bare, [&first[..], &ITS_OWN, &last].concat());
    }

    #[test]
    fn what_it_tells_is_judged() {
        let ends = [without_worker(), recorded_in("journal")];
        assert_eq!(untold_of(&ends, Some(s(4)), true), ITS_OWN);
    }
}
