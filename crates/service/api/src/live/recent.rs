//! How long the latest attempts took: a ring of one word each, written without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_wire::Latency;
use tokio::time::Instant;

/// So many are remembered: 4 KiB.
const SLOTS: usize = 512;
/// So long they count, in seconds.
const KEPT: u64 = 30;
const LOW: u32 = 32;

/// The latest attempts. A slot holds the second it was written in, from 1, above the microseconds the attempt took; 0 is
/// empty.
#[derive(Debug)]
pub(super) struct Recent {
    began: Instant,
    next: AtomicUsize,
    slots: Box<[AtomicU64]>,
}

impl Recent {
    /// None yet.
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            next: AtomicUsize::new(0),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// An attempt ended `now` and took `elapsed`.
    pub(super) fn add(&self, elapsed: Duration, now: Instant) {
        let slot = self.next.fetch_add(1, Ordering::Relaxed) % SLOTS;
        let micros = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        let word = (self.second(now) << LOW) | u64::from(micros);
        self.slots[slot].store(word, Ordering::Relaxed);
    }

    /// Their percentiles, by nearest rank.
    pub(super) fn show(&self, now: Instant) -> Latency {
        let oldest = self.second(now).saturating_sub(KEPT).max(1);
        let words = self.slots.iter().map(|it| it.load(Ordering::Relaxed));
        let mut micros: Vec<u64> = words
            .filter(|word| word >> LOW >= oldest)
            .map(|word| word & u64::from(u32::MAX))
            .collect();
        micros.sort_unstable();
        Latency {
            attempts: u32::try_from(micros.len()).unwrap_or(u32::MAX),
            p50_seconds: percentile(&micros, 50),
            p99_seconds: percentile(&micros, 99),
        }
    }

    /// The second that `now` falls into, from 1.
    fn second(&self, now: Instant) -> u64 {
        now.duration_since(self.began).as_secs() + 1
    }
}

/// In seconds; none of nothing.
fn percentile(sorted: &[u64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    let micros = sorted.get(rank.checked_sub(1)?)?;
    Some(Duration::from_micros(*micros).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let start = Instant::now();
        let recent = Recent::new(start);
        assert_eq!(recent.show(start).p50_seconds, None);
        for millis in (1..=100).rev() {
            recent.add(Duration::from_millis(millis), start);
        }
        let shown = recent.show(start);
        assert_eq!(
            (shown.p50_seconds, shown.p99_seconds),
            (Some(0.05), Some(0.099))
        );
        assert_eq!(shown.attempts, 100);
    }

    #[test]
    fn an_attempt_is_forgotten_after_half_a_minute() {
        let start = Instant::now();
        let recent = Recent::new(start);
        recent.add(Duration::from_secs(1), start);
        recent.add(Duration::from_secs(2), after(start, 20));
        let attempts =
            [0, 29, 30, 31, 50, 51].map(|seconds| recent.show(after(start, seconds)).attempts);
        assert_eq!(attempts, [2, 2, 2, 1, 1, 0]);
    }

    #[test]
    fn only_the_latest_are_remembered_however_many_there_are() {
        let start = Instant::now();
        let recent = Recent::new(start);
        for _ in 0..SLOTS {
            recent.add(Duration::from_secs(1), start);
        }
        for _ in 0..SLOTS {
            recent.add(Duration::from_secs(5_000), start);
        }
        let shown = recent.show(start);
        assert_eq!(shown.attempts, 512);
        // More than a slot can hold is held as the most it can.
        assert_eq!(shown.p50_seconds, Some(4_294.967_295));
    }
}
