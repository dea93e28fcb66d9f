//! The decision core of the bulkhead: who has a place, who waits, who is next.
//!
//! Invariants: `in_flight <= limit`; somebody waits only while all places are taken. A freed place
//! is handed to the first in the queue, so a newcomer never overtakes one who waits.

use std::collections::VecDeque;
use std::task::Waker;

/// Names one wait. Later waits have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u64);

#[derive(Debug)]
pub(super) struct Queue {
    limit: u32,
    in_flight: u32,
    max_waiting: u32,
    // Sorted by number: numbers are handed out in order and leave from anywhere.
    waiting: VecDeque<(Number, Waker)>,
    next: u64,
}

/// What a newcomer gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Place,
    Wait(Number),
    Full,
}

impl Queue {
    pub(super) fn new(limit: u32, max_waiting: u32) -> Self {
        let waiting = VecDeque::with_capacity(max_waiting as usize);
        Self {
            limit,
            in_flight: 0,
            max_waiting,
            waiting,
            next: 0,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn waiting(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }

    /// Somebody wants a place. Whoever must wait is known by a waker that does nothing until its
    /// first look at the queue.
    pub(super) fn enter(&mut self) -> Entry {
        if self.in_flight < self.limit {
            self.in_flight += 1;
            return Entry::Place;
        }
        if self.waiting() >= self.max_waiting {
            return Entry::Full;
        }
        let number = Number(self.next);
        self.next += 1;
        self.waiting.push_back((number, Waker::noop().clone()));
        Entry::Wait(number)
    }

    /// Whether `number` has been handed a place; if not, `waker` is told when it is.
    pub(super) fn has_place(&mut self, number: Number, waker: &Waker) -> bool {
        let Some(index) = self.position(number) else {
            return true;
        };
        if let Some((_, known)) = self.waiting.get_mut(index) {
            known.clone_from(waker);
        }
        false
    }

    /// `number` waits no longer. Had it been handed a place meanwhile, the place is passed on, and
    /// its new holder's waker is returned.
    pub(super) fn give_up(&mut self, number: Number) -> Option<Waker> {
        match self.position(number) {
            Some(index) => {
                self.waiting.remove(index);
                None
            }
            None => self.leave(),
        }
    }

    /// A place is free again: goes to the first in the queue, whose waker is returned.
    pub(super) fn leave(&mut self) -> Option<Waker> {
        match self.waiting.pop_front() {
            Some((_, waker)) => Some(waker),
            None => {
                self.in_flight = self.in_flight.saturating_sub(1);
                None
            }
        }
    }

    fn position(&self, number: Number) -> Option<usize> {
        self.waiting
            .binary_search_by_key(&number, |(number, _)| *number)
            .ok()
    }
}
