//! What happened in each second, from calls and samples: pure.

use std::time::Duration;

use holdfast_checker::trial::{Call, Sample};

pub(super) fn offered(calls: &[Call]) -> Vec<Option<f64>> {
    counted(calls.iter().map(|call| call.intended))
}

/// Promises (200 or 202) given in each second.
pub(super) fn goodput(calls: &[Call]) -> Vec<Option<f64>> {
    let promised = calls.iter().filter(|call| call.is_promised());
    counted(promised.map(|call| call.ended))
}

/// Arrivals at the worker in each second; none: it could not tell in that second.
///
/// A count that is smaller than the one before is that of a worker started anew.
#[expect(clippy::cast_precision_loss, reason = "a count of requests")]
pub(super) fn arrivals(samples: &[Sample]) -> Vec<Option<f64>> {
    let mut bins = Vec::new();
    let mut before = None;
    for sample in samples {
        let Some(now) = sample.worker_arrivals else {
            continue;
        };
        let since = match before {
            Some(before) if before <= now => now - before,
            Some(_) => now,
            // What came before the first look was the steady state's, not this load's.
            None => 0,
        };
        before = Some(now);
        add(&mut bins, sample.at, since as f64, None);
    }
    bins
}

/// A gauge's largest value in each second; none: nobody could tell in that second.
#[expect(clippy::cast_precision_loss, reason = "a count of entries")]
pub(super) fn highest(
    samples: &[Sample],
    gauge: impl Fn(&Sample) -> Option<u64>,
) -> Vec<Option<f64>> {
    let mut bins: Vec<Option<f64>> = Vec::new();
    for sample in samples {
        let Some(value) = gauge(sample) else { continue };
        let bin = bin_at(&mut bins, sample.at, None);
        *bin = Some(bin.unwrap_or_default().max(value as f64));
    }
    bins
}

pub(super) fn peak(series: &[Option<f64>]) -> f64 {
    series.iter().flatten().copied().fold(0.0, f64::max)
}

fn counted(times: impl Iterator<Item = Duration>) -> Vec<Option<f64>> {
    let mut bins = Vec::new();
    for at in times {
        add(&mut bins, at, 1.0, Some(0.0));
    }
    bins
}

fn add(bins: &mut Vec<Option<f64>>, at: Duration, amount: f64, empty: Option<f64>) {
    let bin = bin_at(bins, at, empty);
    *bin = Some(bin.unwrap_or_default() + amount);
}

fn bin_at(bins: &mut Vec<Option<f64>>, at: Duration, empty: Option<f64>) -> &mut Option<f64> {
    let index = usize::try_from(at.as_secs()).unwrap_or(usize::MAX);
    if bins.len() <= index {
        bins.resize(index + 1, empty);
    }
    &mut bins[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: u64, worker_arrivals: Option<u64>) -> Sample {
        Sample {
            at: Duration::from_millis(at_ms),
            worker_arrivals,
            journal_entries: worker_arrivals,
            ..Sample::default()
        }
    }

    #[test]
    fn arrivals_are_what_the_count_grew_by_and_unknown_while_the_worker_is_dead() {
        let samples = [
            sample(100, Some(40)),
            sample(900, Some(44)),
            sample(1_500, None),
            sample(2_500, Some(3)),
            sample(2_900, Some(5)),
        ];
        assert_eq!(arrivals(&samples), [Some(4.0), None, Some(5.0)]);
    }

    #[test]
    fn a_gauge_shows_its_highest_value() {
        let samples = [
            sample(0, Some(4)),
            sample(10, Some(2)),
            sample(2_000, Some(9)),
        ];
        let series = highest(&samples, |sample| sample.journal_entries);
        assert_eq!(series, [Some(4.0), None, Some(9.0)]);
        assert!((peak(&series) - 9.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_second_without_calls_is_nought_and_not_unknown() {
        let times = [200, 300, 2_100].map(Duration::from_millis);
        assert_eq!(
            counted(times.into_iter()),
            [Some(2.0), Some(0.0), Some(1.0)]
        );
    }
}
