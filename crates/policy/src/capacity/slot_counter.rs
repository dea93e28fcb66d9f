//! How many slots there are, are taken, and are waited for, in one word.
//!
//! While nobody waits, slots are taken and given back here without a lock. Waiters are counted
//! only under the lock of the queue, and while somebody does, a slot goes to nobody else.

use crate::sync::{AtomicU64, Ordering};

/// Each of the three has 21 bits: more than any configuration grants.
const BITS: u32 = 21;
const MASK: u64 = (1 << BITS) - 1;

/// In a cache line of its own: every attempt writes it twice, and what lies beside it is read by all.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct SlotCounter {
    count: AtomicU64,
}

/// What the word says.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    pub(crate) in_flight: u32,
    pub(crate) waiting: u32,
    pub(crate) limit: u32,
}

impl SlotCounter {
    pub(crate) fn new(limit: u32) -> Self {
        let count = Count {
            in_flight: 0,
            waiting: 0,
            limit,
        };
        Self {
            count: AtomicU64::new(count.word()),
        }
    }

    #[inline]
    pub(crate) fn count(&self) -> Count {
        Count::of(self.count.load(Ordering::Acquire))
    }

    /// Takes a slot if one is free. Nobody is overtaken: while somebody waits, none is.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.update(|count| {
            (count.in_flight < count.limit && count.waiting == 0).then_some(Count {
                in_flight: count.in_flight + 1,
                ..count
            })
        })
    }

    /// Gives a slot back. Whether somebody waits, for whom it has to be taken again: nobody else gets it
    /// meanwhile.
    #[inline]
    pub(crate) fn give_back(&self) -> bool {
        // The lowest bits are the slots that are taken: the one that is given back is among them.
        let before = Count::of(self.count.fetch_sub(1, Ordering::AcqRel));
        debug_assert!(before.in_flight > 0, "a slot was given back twice");
        before.waiting > 0
    }

    /// Under the lock of the queue: one more waits, while no slot is free.
    pub(crate) fn one_waits_more(&self) -> bool {
        self.update(|count| {
            (count.in_flight >= count.limit || count.waiting > 0).then_some(Count {
                waiting: count.waiting + 1,
                ..count
            })
        })
    }

    /// Under the lock of the queue: one waits no longer.
    pub(crate) fn one_waits_less(&self) {
        self.update(|count| {
            Some(Count {
                waiting: count.waiting.saturating_sub(1),
                ..count
            })
        });
    }

    /// Under the lock of the queue: there are so many slots from now on.
    pub(crate) fn set_limit(&self, limit: u32) {
        self.update(|count| Some(Count { limit, ..count }));
    }

    /// Under the lock of the queue: a free slot goes to one who waits.
    pub(crate) fn promote(&self) -> bool {
        self.update(|count| {
            let due = count.waiting > 0 && count.in_flight < count.limit;
            due.then(|| Count {
                in_flight: count.in_flight + 1,
                waiting: count.waiting - 1,
                ..count
            })
        })
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
    #[inline]
    fn of(word: u64) -> Self {
        Self {
            in_flight: (word & MASK) as u32,
            waiting: (word >> BITS & MASK) as u32,
            limit: (word >> (2 * BITS) & MASK) as u32,
        }
    }

    #[inline]
    fn word(self) -> u64 {
        u64::from(self.limit) << (2 * BITS)
            | u64::from(self.waiting) << BITS
            | u64::from(self.in_flight)
    }
}
