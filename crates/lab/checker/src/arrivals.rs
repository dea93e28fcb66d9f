//! When requests arrive: decided in advance, by the seed alone.

use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pattern of arrivals.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// As independent clients do: at random, in clumps and gaps.
    #[default]
    Poisson,
    /// At equal distances.
    Constant,
}

impl Arrivals {
    /// The times of arrival, ascending, all before `duration`.
    pub fn times(
        self,
        rate: f64,
        duration: Duration,
        seed: u64,
    ) -> impl Iterator<Item = Duration> + use<> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut at = 0.0;
        let next = move || {
            let now = at;
            at += match self {
                Self::Constant => 1.0 / rate,
                // The gaps between independent arrivals are distributed exponentially; 1 - f64 is never 0.
                Self::Poisson => -(1.0 - random.f64()).ln() / rate,
            };
            Duration::try_from_secs_f64(now).ok()
        };
        std::iter::from_fn(next).take_while(move |at| *at < duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: Arrivals, seed: u64) -> Vec<Duration> {
        arrivals
            .times(20.0, Duration::from_secs(50), seed)
            .collect()
    }

    #[test]
    fn constant_arrivals_keep_their_distance() {
        let times = times(Arrivals::Constant, 1);
        assert_eq!(times.len(), 1000);
        assert_eq!(times[1] - times[0], Duration::from_millis(50));
    }

    #[test]
    fn poisson_arrivals_keep_the_rate_and_are_the_seeds() {
        let one = times(Arrivals::Poisson, 1);
        assert!((900..1100).contains(&one.len()), "{}", one.len());
        assert!(one.is_sorted() && *one.last().unwrap() < Duration::from_secs(50));
        assert_eq!(one, times(Arrivals::Poisson, 1));
        assert_ne!(one, times(Arrivals::Poisson, 2));
    }
}
