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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(entry: Entry) -> Number {
        match entry {
            Entry::Wait(number) => number,
            other => panic!("expected to wait, got {other:?}"),
        }
    }

    #[test]
    fn places_are_handed_over_in_the_order_of_arrival() {
        let mut queue = Queue::new(1, 2);
        assert_eq!(queue.enter(), Entry::Place);
        let first = number(queue.enter());
        let second = number(queue.enter());
        assert_eq!(queue.enter(), Entry::Full);
        assert!(queue.leave().is_some());
        assert!(queue.has_place(first, Waker::noop()));
        assert!(!queue.has_place(second, Waker::noop()));
        assert_eq!(queue.in_flight(), 1, "the place changed hands");
    }

    #[test]
    fn a_newcomer_does_not_overtake_who_waits() {
        let mut queue = Queue::new(1, 1);
        assert_eq!(queue.enter(), Entry::Place);
        number(queue.enter());
        queue.leave();
        assert_ne!(queue.enter(), Entry::Place);
    }

    #[test]
    fn who_gives_up_after_the_hand_over_passes_the_place_on() {
        let mut queue = Queue::new(1, 2);
        assert_eq!(queue.enter(), Entry::Place);
        let first = number(queue.enter());
        let second = number(queue.enter());
        queue.leave();
        assert!(queue.give_up(first).is_some());
        assert!(queue.has_place(second, Waker::noop()));
        assert!(queue.leave().is_none());
        assert_eq!(queue.in_flight(), 0);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Enter,
        Leave(usize),
        GiveUp(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            2 => Just(Step::Enter),
            1 => any::<usize>().prop_map(Step::Leave),
            1 => any::<usize>().prop_map(Step::GiveUp),
        ];
        prop::collection::vec(step, 0..300)
    }

    proptest! {
        /// Against a model that is two plain lists: who runs, and who waits in order.
        #[test]
        fn nothing_leaks_whoever_leaves_when(limit in 1_u32..5, max in 0_u32..5, steps in steps()) {
            let mut queue = Queue::new(limit, max);
            let mut running: Vec<Option<Number>> = Vec::new();
            let mut waiting: Vec<Number> = Vec::new();
            for step in steps {
                match step {
                    Step::Enter => match queue.enter() {
                        Entry::Place => running.push(None),
                        Entry::Wait(number) => waiting.push(number),
                        Entry::Full => prop_assert_eq!(waiting.len(), max as usize),
                    },
                    Step::Leave(index) if !running.is_empty() => {
                        // One that was handed its place and never looked gives up instead.
                        let woken = match running.swap_remove(index % running.len()) {
                            Some(number) => queue.give_up(number),
                            None => queue.leave(),
                        };
                        prop_assert_eq!(woken.is_some(), !waiting.is_empty());
                        if !waiting.is_empty() {
                            running.push(Some(waiting.remove(0)));
                        }
                    }
                    Step::GiveUp(index) if !waiting.is_empty() => {
                        let number = waiting.remove(index % waiting.len());
                        prop_assert!(queue.give_up(number).is_none());
                    }
                    Step::Leave(_) | Step::GiveUp(_) => {}
                }
                prop_assert_eq!(queue.in_flight() as usize, running.len());
                prop_assert_eq!(queue.waiting() as usize, waiting.len());
                prop_assert!(queue.in_flight() <= limit);
                prop_assert!(waiting.is_empty() || queue.in_flight() == limit);
                for number in &waiting {
                    prop_assert!(!queue.has_place(*number, Waker::noop()));
                }
            }
        }
    }
}
