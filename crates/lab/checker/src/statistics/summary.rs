//! One figure over several trials, of both sides.

use serde::{Deserialize, Serialize};

use super::bootstrap::{Interval, interval, median};
use super::effect::{Effect, effect};
use crate::plan::{Experiment, Metric, Window};

/// A figure of one side, over its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many trials there were.
    pub trials: usize,
    /// The figures of those that have one, in the order of the trials.
    pub values: Vec<f64>,
    /// Of these; none: no trial has one.
    pub median: Option<f64>,
    /// Of the median; none: of fewer than two figures.
    pub interval: Option<Interval>,
}

/// A figure of both sides, over their trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Which figure.
    pub metric: Metric,
    /// Of which calls.
    pub during: Window,
    /// Of the naive side.
    pub naive: Summary,
    /// Of the resilient side.
    pub resilient: Summary,
    /// Of naive against resilient; none: of fewer than two figures of either.
    pub effect: Option<Effect>,
}

/// The figures that the experiment asks of either side, each once, in the order in which metrics are told.
#[must_use]
pub fn asked(plan: &Experiment) -> Vec<(Metric, Window)> {
    let both = plan.naive.iter().chain(&plan.resilient);
    let mut asked: Vec<_> = both.map(|it| (it.metric, it.during)).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Compares; each slice has one value for each trial, none where it could not be computed.
#[must_use]
pub fn compare(
    (metric, during): (Metric, Window),
    naive: &[Option<f64>],
    resilient: &[Option<f64>],
    seed: u64,
) -> Comparison {
    let naive = Summary::of(naive, seed);
    let resilient = Summary::of(resilient, seed);
    let effect = effect(&naive.values, &resilient.values);
    Comparison {
        metric,
        during,
        naive,
        resilient,
        effect,
    }
}

impl Summary {
    fn of(trials: &[Option<f64>], seed: u64) -> Self {
        let values: Vec<f64> = trials.iter().copied().flatten().collect();
        Self {
            trials: trials.len(),
            median: median(&values),
            interval: interval(&values, seed),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Magnitude;
    use super::*;
    use crate::fixtures::plan;

    fn p99(naive: &[Option<f64>], resilient: &[Option<f64>]) -> Comparison {
        compare((Metric::P99, Window::Fault), naive, resilient, 1)
    }

    #[test]
    fn trials_without_the_figure_are_counted_and_left_out() {
        let both = p99(
            &[Some(5.0), None, Some(3.0)],
            &[Some(1.0), Some(2.0), Some(1.5)],
        );
        assert_eq!((both.naive.trials, both.naive.median), (3, Some(4.0)));
        assert_eq!(both.naive.values, [5.0, 3.0]);
        assert_eq!(
            (both.resilient.trials, both.resilient.median),
            (3, Some(1.5))
        );
        assert_eq!(both.effect.unwrap().delta, 1.0);
        assert_eq!(both.effect.unwrap().magnitude, Magnitude::Large);
        assert_eq!(both.naive.interval, interval(&[5.0, 3.0], 1));
    }

    #[test]
    fn one_trial_has_its_figure_and_claims_no_more() {
        let both = p99(&[Some(5.0)], &[Some(1.0)]);
        assert_eq!(both.naive.median, Some(5.0));
        assert_eq!((both.naive.interval, both.effect), (None, None));
    }

    #[test]
    fn a_figure_that_no_trial_has_has_no_median() {
        let both = p99(&[None, None], &[Some(1.0), Some(2.0)]);
        assert_eq!((both.naive.median, both.effect), (None, None));
    }

    #[test]
    fn what_either_side_is_asked_is_compared_once_and_in_order() {
        let mut plan = plan();
        plan.naive.push(plan.resilient[1]);
        assert_eq!(
            asked(&plan),
            [
                (Metric::ErrorShare, Window::Fault),
                (Metric::PromisedShare, Window::All),
                (Metric::TimeToRecover, Window::All),
            ]
        );
    }
}
