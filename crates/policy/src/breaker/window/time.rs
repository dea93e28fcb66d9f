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
    ring: [Counts; BUCKETS as usize],
    // The newest bucket's number since `origin`; it lives at this number modulo the ring's length.
    newest: u64,
    totals: Counts,
}

impl TimeWindow {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        let width = (span / BUCKETS).max(Duration::from_nanos(1));
        let ring = [Counts::default(); BUCKETS as usize];
        Self {
            origin: now,
            width,
            ring,
            newest: 0,
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

    pub(super) fn clear(&mut self) {
        self.ring = [Counts::default(); BUCKETS as usize];
        self.totals = Counts::default();
    }

    /// Empties the buckets that have left the window. Threads read the clock before they take the
    /// lock, so `now` may lie a little before the newest bucket: then nothing moves.
    fn slide(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.origin).as_nanos();
        let current = u64::try_from(age / self.width.as_nanos()).unwrap_or(u64::MAX);
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
