//! What several trials say together: medians, how far they can be trusted, and how far the two sides lie apart.
//!
//! Pure, and the same for the same seed. One trial has a median and nothing else: no interval, no effect.

use fastrand::Rng;

use crate::figures;
use crate::plan::{Experiment, Metric, Window};

/// How often the values are drawn anew.
const RESAMPLES: usize = 2_000;
/// Of the medians of these, so many lie in the interval.
const CONFIDENCE: f64 = 0.95;

/// From where to where, ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The middle value, or the mean of the two in the middle; none of none.
pub fn median(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| figures::median(values.to_vec()))
}

/// The 95 % confidence interval of the median, by the percentiles of 2,000 resamples; none of fewer than two values.
///
/// Of few values it cannot reach beyond the smallest and the largest: with three or four it is wide, and still too
/// narrow.
pub fn interval(values: &[f64], seed: u64) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let mut random = Rng::with_seed(seed);
    let mut draw = || values[random.usize(..values.len())];
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| figures::median((0..values.len()).map(|_| draw()).collect()))
        .collect();
    medians.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Interval {
        low: figures::percentile(&medians, tail),
        high: figures::percentile(&medians, 1.0 - tail),
    })
}

/// How far `first` lies from `second`, whatever their distribution: Cliff's delta, how much likelier a value of the one is
/// above one of the other than below it. From -1, every value of the first is below every one of the second, to 1; 0: they
/// lie evenly. Ties count for neither. None where either has fewer than two values: one trial says nothing of the next.
pub fn effect(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let pairs = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| (a, b)));
    let sum: f64 = pairs.map(|(a, b)| sign(*a, *b)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of trials")]
    let number = (first.len() * second.len()) as f64;
    Some(sum / number)
}

/// An effect in a word, by the usual thresholds.
pub fn magnitude(effect: f64) -> &'static str {
    match effect.abs() {
        size if size < 0.147 => "negligible",
        size if size < 0.33 => "small",
        size if size < 0.474 => "medium",
        _ => "large",
    }
}

fn sign(a: f64, b: f64) -> f64 {
    f64::from(i8::from(a > b) - i8::from(a < b))
}

/// The figures that the experiment asks of either side, each once, in the order in which metrics are told.
pub fn asked(plan: &Experiment) -> Vec<(Metric, Window)> {
    let both = plan.naive.iter().chain(&plan.resilient);
    let mut asked: Vec<_> = both.map(|it| (it.metric, it.during)).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::plan;

    #[test]
    fn one_value_has_a_median_and_no_interval_and_none_has_neither() {
        assert_eq!(median(&[4.0]), Some(4.0));
        assert_eq!(interval(&[4.0], 1), None);
        assert_eq!((median(&[]), interval(&[], 1)), (None, None));
    }

    #[test]
    fn equal_values_leave_no_doubt() {
        let interval = interval(&[2.0; 5], 1).unwrap();
        assert_eq!((interval.low, interval.high), (2.0, 2.0));
    }

    #[test]
    fn the_interval_of_a_hundred_values_is_as_wide_as_the_theory_of_ranks_says() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let interval = interval(&values, 1).unwrap();
        // Ranks 40 and 61 of 100 enclose the median with 95 %.
        assert!((interval.low - 40.0).abs() <= 3.0, "{interval:?}");
        assert!((interval.high - 61.0).abs() <= 3.0, "{interval:?}");
    }

    #[test]
    fn another_seed_draws_other_values() {
        let values: Vec<f64> = (0..40).map(|at| f64::from(at * at)).collect();
        let ends = |seed| interval(&values, seed).unwrap();
        assert!((1..20).any(|seed| ends(seed) != ends(0)));
    }

    fn delta(first: &[f64], second: &[f64]) -> f64 {
        effect(first, second).unwrap()
    }

    #[test]
    fn sides_that_do_not_meet_lie_as_far_apart_as_can_be() {
        assert_eq!(delta(&[5.0, 6.0, 7.0], &[1.0, 2.0]), 1.0);
        assert_eq!(delta(&[1.0, 2.0], &[5.0, 6.0, 7.0]), -1.0);
    }

    #[test]
    fn ties_count_for_neither() {
        assert_eq!(delta(&[0.0, 0.0], &[0.0, 0.0]), 0.0);
        assert_eq!(delta(&[0.0, 1.0], &[0.0, 0.0]), 0.5);
        assert_eq!(delta(&[1.0, 3.0], &[2.0, 3.0]), -0.25);
    }

    #[test]
    fn one_trial_of_a_side_shows_no_effect() {
        assert_eq!(effect(&[9.0], &[1.0]), None);
        assert_eq!(effect(&[9.0, 8.0], &[1.0]), None);
        assert_eq!(effect(&[9.0], &[1.0, 2.0]), None);
        assert!(effect(&[9.0, 8.0], &[1.0, 2.0]).is_some());
    }

    #[test]
    fn words_change_at_the_usual_thresholds_in_both_directions() {
        for (delta, word) in [
            (0.0, "negligible"),
            (0.1469, "negligible"),
            (0.147, "small"),
            (0.3299, "small"),
            (0.33, "medium"),
            (0.4739, "medium"),
            (0.474, "large"),
            (1.0, "large"),
        ] {
            assert_eq!(magnitude(delta), word);
            assert_eq!(magnitude(-delta), word);
        }
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_interval_holds_the_median_within_the_values(
            values in vec(-1e6..1e6_f64, 2..12),
            seed: u64,
        ) {
            let median = median(&values).unwrap();
            let interval = interval(&values, seed).unwrap();
            prop_assert!(interval.low <= median && median <= interval.high);
            prop_assert!(values.iter().any(|value| *value <= interval.low));
            prop_assert!(values.iter().any(|value| *value >= interval.high));
        }

        #[test]
        fn the_same_seed_gives_the_same_interval(values in vec(-1e3..1e3_f64, 2..8), seed: u64) {
            prop_assert_eq!(interval(&values, seed), interval(&values, seed));
        }

        #[test]
        fn turned_around_it_changes_its_sign_and_it_stays_within_one(
            first in vec(0..6_i32, 2..8),
            second in vec(0..6_i32, 2..8),
        ) {
            let first: Vec<f64> = first.into_iter().map(f64::from).collect();
            let second: Vec<f64> = second.into_iter().map(f64::from).collect();
            let there = delta(&first, &second);
            prop_assert_eq!(there, -delta(&second, &first));
            prop_assert!((-1.0..=1.0).contains(&there));
            prop_assert_eq!(delta(&first, &first), 0.0);
        }
    }
}
