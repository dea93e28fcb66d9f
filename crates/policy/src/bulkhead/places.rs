//! How many places are taken and how many wait for one, in one word.
//!
//! While nobody waits, places are taken and given back here without a lock. Who waits is counted
//! only under the lock of the queue, and while somebody does, nothing else changes the word.

use crate::sync::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Places {
    limit: u32,
    count: AtomicU64,
}

/// What the word says.
#[derive(Clone, Copy)]
pub(super) struct Count {
    pub(super) in_flight: u32,
    pub(super) waiting: u32,
}

impl Places {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            count: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn count(&self) -> Count {
        Count::of(self.count.load(Ordering::Acquire))
    }

    /// Takes a place if one is free. Nobody is overtaken: while somebody waits, none is.
    #[inline]
    pub(super) fn take(&self) -> bool {
        self.update(|count| {
            (count.in_flight < self.limit).then_some(Count {
                in_flight: count.in_flight + 1,
                ..count
            })
        })
    }

    /// Gives a place back unless somebody waits for it.
    #[inline]
    pub(super) fn give_back(&self) -> bool {
        self.update(|count| {
            (count.waiting == 0).then_some(Count {
                in_flight: count.in_flight.saturating_sub(1),
                ..count
            })
        })
    }

    /// Under the lock of the queue: one more waits, while all places are taken.
    pub(super) fn one_waits_more(&self) -> bool {
        self.update(|count| {
            (count.in_flight >= self.limit).then_some(Count {
                waiting: count.waiting + 1,
                ..count
            })
        })
    }

    /// Under the lock of the queue: one waits no longer.
    pub(super) fn one_waits_less(&self) {
        self.update(|count| {
            Some(Count {
                waiting: count.waiting.saturating_sub(1),
                ..count
            })
        });
    }

    /// Whether it was changed; not if `change` says `None`.
    #[inline]
    fn update(&self, change: impl Fn(Count) -> Option<Count>) -> bool {
        let change = |word| change(Count::of(word)).map(Count::word);
        self.count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
            .is_ok()
    }
}

impl Count {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    #[inline]
    fn of(word: u64) -> Self {
        Self {
            in_flight: word as u32,
            waiting: (word >> 32) as u32,
        }
    }

    #[inline]
    fn word(self) -> u64 {
        u64::from(self.waiting) << 32 | u64::from(self.in_flight)
    }
}
