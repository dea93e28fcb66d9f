//! How far two sets of values lie apart, whatever their distribution.

use serde::{Deserialize, Serialize};
use strum::Display;

/// Cliff's delta: how much likelier a value of the one side is above one of the other than below it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// From -1, every value of the first is below every one of the second, to 1; 0: they lie evenly. Ties count for
    /// neither.
    pub delta: f64,
    /// In a word.
    pub magnitude: Magnitude,
}

/// An effect in a word, by the usual thresholds: 0.147, 0.33, 0.474.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Magnitude {
    /// Below 0.147.
    Negligible,
    /// Below 0.33.
    Small,
    /// Below 0.474.
    Medium,
    /// From there on.
    Large,
}

/// Of `first` against `second`; none where either has fewer than two values: one trial each says nothing of the next.
#[must_use]
pub fn effect(first: &[f64], second: &[f64]) -> Option<Effect> {
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let pairs = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| (a, b)));
    let sum: f64 = pairs.map(|(a, b)| sign(*a, *b)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of trials")]
    let delta = sum / (first.len() * second.len()) as f64;
    let magnitude = Magnitude::of(delta);
    Some(Effect { delta, magnitude })
}

impl Magnitude {
    fn of(delta: f64) -> Self {
        match delta.abs() {
            size if size < 0.147 => Self::Negligible,
            size if size < 0.33 => Self::Small,
            size if size < 0.474 => Self::Medium,
            _ => Self::Large,
        }
    }
}

fn sign(a: f64, b: f64) -> f64 {
    f64::from(i8::from(a > b) - i8::from(a < b))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn delta(first: &[f64], second: &[f64]) -> f64 {
        effect(first, second).unwrap().delta
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
            assert_eq!(Magnitude::of(delta).to_string(), word);
            assert_eq!(Magnitude::of(-delta).to_string(), word);
        }
    }

    proptest! {
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
