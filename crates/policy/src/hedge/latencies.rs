//! What attempts took lately: a pure histogram of which a percentile is read.
//!
//! Steps are an eighth of their value or finer, from a microsecond to hours. Invariant: `held` is the sum of
//! `counts`, and less than [`MAX_SAMPLES`].

use std::time::Duration;

/// Steps per doubling.
const STEPS: u64 = 8;
/// Doublings of a microsecond: the last is above nineteen hours.
const DOUBLINGS: u64 = 36;
#[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
const BUCKETS: usize = (DOUBLINGS * STEPS) as usize;
/// With so many all are halved.
const MAX_SAMPLES: u32 = 1_000;

#[derive(Debug)]
pub(super) struct Latencies {
    counts: Box<[u16; BUCKETS]>,
    held: u32,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            held: 0,
        }
    }

    /// How many count at the moment.
    pub(super) fn held(&self) -> u32 {
        self.held
    }

    /// An attempt took so long, or longer.
    pub(super) fn record(&mut self, took: Duration) {
        if let Some(count) = self.counts.get_mut(bucket(took)) {
            *count += 1;
            self.held += 1;
        }
        if self.held >= MAX_SAMPLES {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.held = self.counts.iter().copied().map(u32::from).sum();
        }
    }

    /// What so many of a hundred took at most, rounded up to a step; `None` while it holds nothing.
    pub(super) fn percentile(&self, percent: u8) -> Option<Duration> {
        let wanted = (self.held * u32::from(percent)).div_ceil(100);
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += u32::from(*count);
            below >= wanted
        });
        bucket.filter(|_| self.held > 0).map(end)
    }
}

/// Below `STEPS` microseconds a step is a microsecond; then the step of the doubling.
#[expect(clippy::cast_possible_truncation, reason = "at most BUCKETS")]
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let doubling = u64::from((micros / STEPS).checked_ilog2().map_or(0, |it| it + 1));
    let step = micros >> doubling.saturating_sub(1);
    let index = if doubling == 0 {
        micros
    } else {
        doubling * STEPS + step - STEPS
    };
    index.min(BUCKETS as u64 - 1) as usize
}

/// The least that no longer belongs to the bucket.
fn end(bucket: usize) -> Duration {
    let (doubling, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    let micros = match doubling {
        0 => step + 1,
        _ => (STEPS + step + 1) << (doubling - 1),
    };
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(millis: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        let took = millis.into_iter().map(Duration::from_millis);
        took.for_each(|it| latencies.record(it));
        latencies
    }

    #[test]
    fn a_bucket_begins_where_the_one_before_it_ends() {
        for micros in (0..10_000).map(Duration::from_micros) {
            let at = bucket(micros);
            assert!(micros < end(at), "{micros:?}");
            assert!(at == 0 || end(at - 1) <= micros, "{micros:?}");
        }
    }

    #[test]
    fn it_holds_nothing_at_first() {
        assert_eq!(Latencies::new().percentile(95), None);
    }

    #[test]
    fn one_of_twenty_is_above_the_95th_percentile() {
        let fast_and_one_slow = (0..19).map(|_| 10).chain([10_000]);
        let p95 = of(fast_and_one_slow).percentile(95).unwrap();
        assert!((10..12).contains(&p95.as_millis()), "{p95:?}");
        let p99 = of((0..19).map(|_| 10).chain([10_000]));
        assert!(p99.percentile(99).unwrap() > Duration::from_secs(10));
    }

    #[test]
    fn a_dependency_that_became_slower_is_known_within_a_thousand_answers() {
        let mut latencies = of((0..5_000).map(|_| 10));
        (0..1_000).for_each(|_| latencies.record(Duration::from_millis(80)));
        let p95 = latencies.percentile(95).unwrap();
        assert!((80..90).contains(&p95.as_millis()), "{p95:?}");
    }

    #[test]
    fn a_dependency_that_became_faster_is_known_within_a_few_thousand() {
        let mut latencies = of((0..5_000).map(|_| 80));
        (0..2_500).for_each(|_| latencies.record(Duration::from_millis(10)));
        let p95 = latencies.percentile(95).unwrap();
        assert!((10..12).contains(&p95.as_millis()), "{p95:?}");
    }

    #[test]
    fn what_lasts_for_ever_counts_as_the_longest() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::MAX);
        assert!(latencies.percentile(50).unwrap() > Duration::from_secs(60 * 60 * 19));
    }

    proptest! {
        #[test]
        fn a_percentile_is_what_a_sorted_list_says_but_for_the_step(
            mut micros in prop::collection::vec(0_u64..10_000_000, 1..900),
            percent in 50_u8..=99,
        ) {
            let mut latencies = Latencies::new();
            micros.iter().for_each(|it| latencies.record(Duration::from_micros(*it)));
            micros.sort_unstable();
            let rank = (micros.len() * usize::from(percent)).div_ceil(100);
            let exact = micros[rank - 1];
            let told = u64::try_from(latencies.percentile(percent).unwrap().as_micros()).unwrap();
            prop_assert!(told > exact && told <= exact + exact / 8 + 1, "{told} of {exact}");
        }
    }
}
