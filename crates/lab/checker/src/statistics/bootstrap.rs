//! The median of a few values, and the interval in which the median of more would lie.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::figures;

/// How often the values are drawn anew.
const RESAMPLES: usize = 2_000;
/// Of the medians of these, so many lie in the interval.
const CONFIDENCE: f64 = 0.95;

/// From where to where, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The middle value, or the mean of the two in the middle; none of none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| figures::median(values.to_vec()))
}

/// The 95 % confidence interval of the median, by the percentiles of 2,000 resamples; none of fewer than two values.
///
/// Of few values it cannot reach beyond the smallest and the largest: with three or four it is wide, and still too
/// narrow.
#[must_use]
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

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
    }
}
