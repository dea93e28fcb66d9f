//! Figures and limits, as people read them.

use crate::plan::{Expectation, Unit};

/// Decimals beyond which a difference is one of arithmetic only.
const MORE: usize = 12;

/// Such as `4.91 s`, `97.5 %`, `20`.
pub fn figure(unit: Unit, value: f64) -> String {
    figure_with(unit, value, 0)
}

/// With so many more decimals than are shown otherwise.
fn figure_with(unit: Unit, value: f64, more: usize) -> String {
    match unit {
        Unit::Count => trimmed(value, 2 + more),
        Unit::Share => format!("{} %", trimmed(value * 100.0, 2 + more)),
        Unit::Seconds => format!("{} s", trimmed(value, 3 + more)),
        Unit::PerSecond => format!("{}/s", trimmed(value, 2 + more)),
        Unit::PerCall => format!("{} per call", trimmed(value, 3 + more)),
    }
}

/// As [`figure`], but never in the words of a limit that it does not keep: `0.0031 %` beside `at most 0 %`.
pub(super) fn figure_beside(unit: Unit, value: f64, limits: [Option<f64>; 2]) -> String {
    let told = |more| figure_with(unit, value, more);
    let is_apart = |text: &String| {
        let mut limits = limits.iter().flatten();
        limits.all(|limit| *limit == value || figure(unit, *limit) != *text)
    };
    (0..MORE)
        .map(told)
        .find(is_apart)
        .unwrap_or_else(|| told(MORE))
}

/// Such as `at most 3.7 s`.
pub fn limits(expectation: &Expectation) -> String {
    let unit = expectation.metric.unit();
    match (expectation.at_least, expectation.at_most) {
        (Some(low), Some(high)) if low >= high => format!("exactly {}", figure(unit, high)),
        (Some(low), Some(high)) => format!("{} to {}", figure(unit, low), figure(unit, high)),
        (Some(low), None) => format!("at least {}", figure(unit, low)),
        (None, Some(high)) => format!("at most {}", figure(unit, high)),
        (None, None) => "any figure".to_owned(),
    }
}

/// With at most so many decimals, and none that say nothing.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::expecting;
    use crate::plan::Metric;

    #[test]
    fn a_figure_has_its_unit_and_no_idle_zeros() {
        for (unit, value, words) in [
            (Unit::Count, 20.0, "20"),
            (Unit::Count, 0.0, "0"),
            (Unit::Share, 0.975, "97.5 %"),
            (Unit::Share, 1.0, "100 %"),
            (Unit::Seconds, 4.9124, "4.912 s"),
            (Unit::Seconds, 3.0, "3 s"),
            (Unit::PerSecond, 38.204, "38.2/s"),
            (Unit::PerCall, 1.04, "1.04 per call"),
        ] {
            assert_eq!(figure(unit, value), words);
        }
    }

    #[test]
    fn a_figure_beyond_a_limit_is_not_told_in_the_limits_words() {
        let beside = |value, limit| figure_beside(Unit::Share, value, [None, Some(limit)]);
        assert_eq!(beside(0.000_031, 0.0), "0.003 %");
        assert_eq!(beside(0.0, 0.0), "0 %");
        assert_eq!(beside(0.99999, 1.0), "99.999 %");
        assert_eq!(beside(0.25, 0.5), "25 %");
    }

    #[test]
    fn limits_are_told_from_below_from_above_or_from_both() {
        let told = |at_least, at_most| limits(&expecting(Metric::P99, at_least, at_most));
        assert_eq!(told(Some(4.0), None), "at least 4 s");
        assert_eq!(told(None, Some(3.7)), "at most 3.7 s");
        assert_eq!(told(Some(1.0), Some(2.5)), "1 s to 2.5 s");
        assert_eq!(told(Some(1.0), Some(1.0)), "exactly 1 s");
    }
}
