//! The breaker's state as far as calls to a healthy dependency need it: one word.
//!
//! While every attempt is admitted whatever the time, the word holds the generation, and admission
//! takes neither the lock nor the clock. While, besides, one more success would change nothing (the
//! window is full of them), recording one does not take the lock either.
//!
//! The word is written under the lock of the core and may lag behind it for a reader. That is an
//! order of events like any other: an attempt admitted by a stale word carries the older
//! generation, so its result is discarded like that of any attempt begun before the change, and a
//! success that skips the lock counts as having come before whatever changed the word.

use crate::sync::{AtomicU64, Ordering};

/// No generation: ask the core.
const ASK: u64 = u64::MAX;

/// What holds for all who come, in a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GateState {
    pub(super) generation: u64,
    /// One more success changes nothing.
    pub(super) steady: bool,
}

#[derive(Debug)]
pub(super) struct Gate(AtomicU64);

impl Gate {
    pub(super) fn new(state: Option<GateState>) -> Self {
        Self(AtomicU64::new(word(state)))
    }

    /// The generation in which every attempt is admitted now; `None`: ask the core.
    #[inline]
    pub(super) fn admits_all(&self) -> Option<u64> {
        let word = self.0.load(Ordering::Acquire);
        (word != ASK).then_some(word >> 1)
    }

    /// Whether a success of `generation` changes nothing.
    #[inline]
    pub(super) fn is_steady(&self, generation: u64) -> bool {
        let steady = GateState {
            generation,
            steady: true,
        };
        self.0.load(Ordering::Acquire) == word(Some(steady))
    }

    /// Call it under the core's lock after whatever may have changed it.
    #[inline]
    pub(super) fn follow(&self, state: Option<GateState>) {
        self.0.store(word(state), Ordering::Release);
    }
}

#[inline]
fn word(state: Option<GateState>) -> u64 {
    state.map_or(ASK, |state| state.generation << 1 | u64::from(state.steady))
}
