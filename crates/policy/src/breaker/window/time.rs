//! The calls of the last so much time, in a ring of buckets of equal width.
//!
//! A call is counted for at least the span less one bucket, and never longer than the span: the
//! newest bucket is partly filled, the oldest one leaves as a whole.

use std::time::Duration;

use tokio::time::Instant;

use super::{Counts, Record};

/// Five per cent of the span is as exact as a rate over few calls can make use of.
const BUCKETS: u32 = 20;

#[derive(Debug)]
pub(in crate::breaker) struct TimeWindow {
    origin: Instant,
    width: Duration,
    ring: Box<[Counts]>,
    // The newest bucket's number since `origin`; it lives at this number modulo the ring's length.
    newest: u64,
    // When the next bucket begins: until then nothing moves, and nothing is divided.
    newest_ends: Instant,
    totals: Counts,
}

impl TimeWindow {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        let width = (span / BUCKETS).max(Duration::from_nanos(1));
        let ring = vec![Counts::default(); BUCKETS as usize].into_boxed_slice();
        Self {
            origin: now,
            width,
            ring,
            newest: 0,
            newest_ends: now + width,
            totals: Counts::default(),
        }
    }

    pub(super) fn record(&mut self, record: Record, now: Instant) {
        self.slide(now);
        if let Some(bucket) = self.bucket(self.newest) {
            bucket.add(record);
            self.totals.add(record);
        }
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.slide(now);
        self.totals
    }

    pub(super) fn latest(&self) -> Counts {
        self.totals
    }

    pub(super) fn clear(&mut self) {
        self.ring.fill(Counts::default());
        self.totals = Counts::default();
    }

    /// Empties the buckets that have left the window. Threads read the clock before they take the
    /// lock, so `now` may lie a little before the newest bucket: then nothing moves.
    fn slide(&mut self, now: Instant) {
        if now < self.newest_ends {
            return;
        }
        let age = now.saturating_duration_since(self.origin).as_nanos();
        let width = self.width.as_nanos();
        let current = u64::try_from(age / width).unwrap_or(u64::MAX);
        let into_current = Duration::from_nanos(u64::try_from(age % width).unwrap_or(0));
        self.newest_ends = now + (self.width - into_current);
        let steps = current.saturating_sub(self.newest).min(u64::from(BUCKETS));
        for step in 1..=steps {
            if let Some(bucket) = self.bucket(self.newest.wrapping_add(step)) {
                let left = std::mem::take(bucket);
                self.totals.remove(left);
            }
        }
        self.newest = self.newest.max(current);
    }

    fn bucket(&mut self, number: u64) -> Option<&mut Counts> {
        usize::try_from(number % u64::from(BUCKETS))
            .ok()
            .and_then(|index| self.ring.get_mut(index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: Duration = Duration::from_millis(2_000);
    const WIDTH: u64 = 100;

    fn counts<'a>(calls: impl Iterator<Item = &'a (u64, Record)>) -> Counts {
        let mut counts = Counts::default();
        calls.for_each(|(_, record)| counts.add(*record));
        counts
    }

    fn record() -> impl Strategy<Value = Record> {
        (any::<bool>(), any::<bool>()).prop_map(|(failed, slow)| Record { failed, slow })
    }

    proptest! {
        // Steps up to three seconds: also past the whole window at once.
        #[test]
        fn it_holds_the_buckets_of_the_last_span_and_no_other(
            steps in prop::collection::vec((0_u64..3_000, record()), 0..200),
        ) {
            let origin = Instant::now();
            let mut window = TimeWindow::new(SPAN, origin);
            let mut calls = Vec::new();
            let mut millis = 0;
            for (step, record) in steps {
                // Mostly small steps, so that many calls share the window.
                millis += if step % 4 == 0 { step } else { step % 60 };
                let now = origin + Duration::from_millis(millis);
                window.record(record, now);
                calls.push((millis, record));
                let in_window = |at: &u64| at / WIDTH + 20 > millis / WIDTH;
                let expected = counts(calls.iter().filter(|(at, _)| in_window(at)));
                prop_assert_eq!(window.counts(now), expected);
                // The promise to users, told without buckets.
                let surely = calls.iter().filter(|(at, _)| at + 1_900 >= millis).count() as u64;
                let at_most = calls.iter().filter(|(at, _)| at + 2_000 > millis).count() as u64;
                prop_assert!((surely..=at_most).contains(&window.counts(now).calls));
            }
        }
    }

    #[test]
    fn a_clock_reading_from_before_the_newest_bucket_is_counted_there() {
        let origin = Instant::now();
        let mut window = TimeWindow::new(SPAN, origin);
        window.record(Record::default(), origin + SPAN);
        window.record(Record::default(), origin);
        assert_eq!(window.counts(origin + SPAN).calls, 2);
    }

    #[test]
    fn an_empty_span_of_any_length_leaves_nothing() {
        let origin = Instant::now();
        let mut window = TimeWindow::new(SPAN, origin);
        window.record(
            Record {
                failed: true,
                slow: false,
            },
            origin,
        );
        let much_later = origin + Duration::from_secs(365 * 24 * 60 * 60);
        assert_eq!(window.counts(much_later), Counts::default());
    }
}
