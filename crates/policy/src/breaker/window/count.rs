//! The last so many calls: a ring whose oldest entry makes room for the newest.

use super::{Counts, Record};

#[derive(Debug)]
pub(in crate::breaker) struct CountWindow {
    ring: Box<[Record]>,
    // Where the next record goes; while the ring is full, that is the oldest one.
    next: usize,
    totals: Counts,
}

impl CountWindow {
    /// A window of `calls` calls; a window of none would never speak, so it holds at least one.
    pub(super) fn new(calls: u32) -> Self {
        let ring = vec![Record::default(); calls.max(1) as usize].into_boxed_slice();
        Self {
            ring,
            next: 0,
            totals: Counts::default(),
        }
    }

    pub(super) fn record(&mut self, record: Record) {
        let full = self.totals.calls == self.ring.len() as u64;
        let Some(place) = self.ring.get_mut(self.next) else {
            return;
        };
        if full {
            self.totals.remove(Counts::from(*place));
        }
        *place = record;
        self.totals.add(record);
        self.next = (self.next + 1) % self.ring.len();
    }

    pub(super) fn counts(&self) -> Counts {
        self.totals
    }

    pub(super) fn clear(&mut self) {
        self.next = 0;
        self.totals = Counts::default();
    }
}
