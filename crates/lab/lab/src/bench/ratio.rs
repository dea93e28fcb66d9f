//! How one figure compares to another over the rounds, and how far that can be trusted.

use std::fmt;

use crate::figures::median;
use holdfast_checker::statistics::{Interval, interval};

/// Any: the same rounds give the same interval.
const SEED: u64 = 1;

/// The median over the rounds, and where that of more rounds would lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    median: f64,
    interval: Option<Interval>,
}

impl Ratio {
    /// Of what single rounds came to.
    pub(super) fn over(rounds: &[f64]) -> Self {
        Self {
            median: median(rounds.to_vec()),
            interval: interval(rounds, SEED),
        }
    }
}

/// The median with the 95 % interval, if there is more than one round; two digits unless asked for others.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$}", self.median)?;
        match self.interval {
            Some(Interval { low, high }) => write!(f, " ({low:.digits$} to {high:.digits$})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_round_has_no_interval_and_several_have_one_around_their_median() {
        assert_eq!(Ratio::over(&[0.9]).to_string(), "0.90");
        let ratio = Ratio::over(&[0.9, 0.95, 1.0]);
        assert_eq!(ratio.to_string(), "0.95 (0.90 to 1.00)");
        assert_eq!(format!("{ratio:.1}"), "0.9 (0.9 to 1.0)");
    }
}
