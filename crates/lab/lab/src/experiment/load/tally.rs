//! The calls so far in figures, in bounded memory: HDR histograms, exact to three digits.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::trial::{Call, Generator};
use super::generator::Cost;
use crate::error::LabError;

/// A day, in microseconds: what takes longer counts as that.
const LONGEST: u64 = 86_400_000_000;
/// Significant digits of a figure.
const DIGITS: u8 = 3;

/// How long calls took, and how punctually they were sent.
#[derive(Debug)]
pub struct Tally {
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Result<Self, LabError> {
        let empty = || {
            let made = Histogram::new_with_max(LONGEST, DIGITS);
            made.map_err(|error| LabError::Measurement(error.to_string()))
        };
        Ok(Self {
            latency: empty()?,
            lateness: empty()?,
        })
    }

    pub(super) fn add(&mut self, call: &Call) {
        self.latency.saturating_record(micros(call.latency()));
        let late = call.sent.saturating_sub(call.intended);
        self.lateness.saturating_record(micros(late));
    }

    /// Calls that have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.latency.len()
    }

    /// The latency from the intended start that this share of the calls did not exceed. A call without an answer counts
    /// with the time its client waited.
    #[must_use]
    pub fn latency(&self, share: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_quantile(share))
    }

    /// What sending them cost, and how punctual it was.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(super) fn generator(&self, cost: Cost) -> Generator {
        let late = |micros: u64| micros as f64 / 1_000.0;
        let processor = cost.processor.as_secs_f64() * 1e6;
        let per_request = processor / self.ended().max(1) as f64;
        Generator {
            // As much as is meant, and as many digits as any reader of numbers keeps.
            cpu_us_per_request: (per_request * 10.0).round() / 10.0,
            late_p99_ms: late(self.lateness.value_at_quantile(0.99)),
            late_max_ms: late(self.lateness.max()),
            most_under_way: cost.most_under_way as u64,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::trial::End;
    use super::*;

    fn call(number: u64) -> Call {
        let at = Duration::from_millis;
        Call {
            number,
            intended: at(number),
            sent: at(number) + Duration::from_micros(10 * (number + 1)),
            ended: at(2 * number + 1),
            surge: false,
            end: End::GivenUp,
        }
    }

    #[test]
    fn latency_and_lateness_both_count_from_the_intended_start() {
        let mut tally = Tally::new().unwrap();
        (0..1_000).for_each(|number| tally.add(&call(number)));
        let median = tally.latency(0.5).as_secs_f64();
        assert!((median - 0.5).abs() < 0.002, "{median}");
        let generator = tally.generator(Cost {
            processor: Duration::from_millis(25),
            most_under_way: 7,
        });
        assert!((generator.cpu_us_per_request - 25.0).abs() < f64::EPSILON);
        assert!((generator.late_p99_ms - 9.9).abs() < 0.02, "{generator:?}");
        assert!((generator.late_max_ms - 10.0).abs() < 0.02);
        assert_eq!((tally.ended(), generator.most_under_way), (1_000, 7));
    }

    #[test]
    fn no_calls_cost_nothing() {
        let tally = Tally::new().unwrap();
        assert_eq!(tally.generator(Cost::default()), Generator::default());
        assert_eq!(tally.latency(0.99), Duration::ZERO);
    }
}
