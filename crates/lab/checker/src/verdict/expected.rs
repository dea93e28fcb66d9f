//! What each side must show.

use super::{Check, words};
use crate::measure::{Unmeasured, measure};
use crate::plan::Expectation;
use crate::trial::Trial;

/// Holds a trial against these expectations alone.
pub fn shown(expected: &[Expectation], trial: &Trial) -> Vec<Check> {
    let check = |expectation| check(expectation, trial);
    expected.iter().map(check).collect()
}

fn check(expectation: &Expectation, trial: &Trial) -> Check {
    let metric = expectation.metric;
    let measured = measure(metric, expectation.during, trial);
    Check {
        side: Some(trial.side),
        name: metric.name().to_owned(),
        during: metric.has_window().then_some(expectation.during),
        expected: words::limits(expectation),
        seen: match measured {
            Ok(value) => {
                let limits = [expectation.at_least, expectation.at_most];
                words::figure_beside(metric.unit(), value, limits)
            }
            Err(why) => why.to_string(),
        },
        value: measured.ok(),
        holds: measured.is_ok_and(|value| is_within(value, expectation)),
        unknown: measured.is_err_and(Unmeasured::is_unknown),
    }
}

fn is_within(value: f64, expectation: &Expectation) -> bool {
    expectation.at_least.is_none_or(|low| value >= low)
        && expectation.at_most.is_none_or(|high| value <= high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answered, expecting, played, whole};
    use crate::plan::{Metric, Side, Window};
    use crate::verdict::Finding;
    use crate::verdict::tests::failing;

    fn seen(metric: Metric, at_least: Option<f64>, at_most: Option<f64>) -> Check {
        check(&expecting(metric, at_least, at_most), &played().1)
    }

    #[test]
    fn limits_belong_to_what_they_allow() {
        let share = |low, high| seen(Metric::PromisedShare, low, high).holds;
        assert!(share(Some(1.0), None) && share(None, Some(1.0)) && share(Some(1.0), Some(1.0)));
        assert!(!share(Some(1.01), None) && !share(None, Some(0.99)));
        assert!(!share(Some(0.0), Some(0.99)) && !share(Some(1.01), Some(2.0)));
    }

    #[test]
    fn a_check_says_what_was_expected_and_what_was_seen() {
        let check = seen(Metric::P99, None, Some(0.1));
        assert_eq!(check.name, "p99");
        assert_eq!(check.during, Some(Window::Fault));
        assert_eq!(check.expected, "at most 0.1 s");
        assert_eq!(check.seen, "0.2 s");
        assert_eq!(check.value, Some(0.2));
        assert!(!check.holds);
    }

    #[test]
    fn what_cannot_be_computed_does_not_hold_and_says_why() {
        let check = seen(Metric::TimeToOpen, Some(0.0), None);
        assert!(!check.holds);
        assert_eq!(check.value, None);
        assert_eq!(check.seen, "the breaker never opened");
        assert_eq!(check.during, None);
    }

    #[test]
    fn what_could_not_be_measured_is_unknown_and_what_never_came_has_failed() {
        let unmeasured = |change: fn(&mut Trial), metric| {
            let mut trial = played().1;
            change(&mut trial);
            check(&expecting(metric, Some(0.0), None), &trial).finding()
        };
        let no_samples = unmeasured(|trial| trial.samples.clear(), Metric::AttemptsPerCall);
        let no_calls = unmeasured(|trial| trial.calls.clear(), Metric::P99);
        assert_eq!([no_samples, no_calls], [Finding::Unknown; 2]);
        assert_eq!(unmeasured(|_| (), Metric::TimeToOpen), Finding::Failed);
        assert_eq!(unmeasured(|_| (), Metric::P99), Finding::Held);
    }

    #[test]
    fn each_side_is_held_against_its_own_trial() {
        let naive = failing(|_, naive, _| {
            for call in &mut naive.calls {
                call.end = whole();
            }
        });
        let resilient = failing(|_, _, resilient| resilient.calls[40].end = answered(503));
        for (failing, side, name) in [
            (naive, Side::Naive, "error_share"),
            (resilient, Side::Resilient, "promised_share"),
        ] {
            let names: Vec<_> = failing.iter().map(|it| (it.side, &*it.name)).collect();
            assert_eq!(names, [(Some(side), name)]);
        }
    }
}
