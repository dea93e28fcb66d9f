//! The decision core of the bulkhead: who has a place, who waits, who is next.
//!
//! Invariants: `in_flight <= limit`; somebody waits only while all places are taken. A freed place
//! is handed to the first in the queue, so a newcomer never overtakes one who waits.
//!
//! While nobody waits a place is taken and left without a lock; the lock is the line's, where those
//! who wait stand in order.

use std::collections::VecDeque;
use std::task::Waker;

use super::places::Places;
use crate::lock::lock;
use crate::sync::Mutex;

/// Names one wait. Later waits have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(u64);

/// What a newcomer gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Place,
    Wait(Number),
    Full,
}

#[derive(Debug)]
pub(super) struct Queue {
    max_waiting: u32,
    places: Places,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    // Sorted by number: numbers are handed out in order and leave from anywhere.
    waiting: VecDeque<(Number, Waker)>,
    next: u64,
}

impl Queue {
    pub(super) fn new(limit: u32, max_waiting: u32) -> Self {
        let waiting = VecDeque::with_capacity(max_waiting as usize);
        Self {
            max_waiting,
            places: Places::new(limit),
            line: Mutex::new(Line { waiting, next: 0 }),
        }
    }

    /// Places taken, and how many wait for one.
    pub(super) fn usage(&self) -> (u32, u32) {
        let count = self.places.count();
        (count.in_flight, count.waiting)
    }

    /// Somebody wants a place. Whoever must wait is known by a waker that does nothing until its
    /// first look at the queue.
    #[inline]
    pub(super) fn enter(&self) -> Entry {
        if self.places.take() {
            Entry::Place
        } else {
            self.stand_in_line()
        }
    }

    /// Whether `number` has been handed a place; if not, `waker` is told when it is.
    pub(super) fn has_place(&self, number: Number, waker: &Waker) -> bool {
        let mut line = lock(&self.line);
        let Some(index) = line.position(number) else {
            return true;
        };
        let known = line.waiting.get_mut(index);
        let known = known.filter(|(_, known)| !known.will_wake(waker));
        let replaced = known.map(|(_, known)| std::mem::replace(known, waker.clone()));
        // Outside the lock: with the last clone of a waker its task may go, and whatever that held.
        drop(line);
        drop(replaced);
        false
    }

    /// `number` waits no longer. Had it been handed a place meanwhile, the place is passed on, and
    /// its new holder's waker is returned.
    pub(super) fn give_up(&self, number: Number) -> Option<Waker> {
        let mut line = lock(&self.line);
        let Some(index) = line.position(number) else {
            drop(line);
            return self.leave();
        };
        let gone = line.waiting.remove(index);
        self.places.one_waits_less();
        drop(line);
        drop(gone);
        None
    }

    /// A place is free again: goes to the first in the queue, whose waker is returned.
    #[inline]
    pub(super) fn leave(&self) -> Option<Waker> {
        if self.places.give_back() {
            None
        } else {
            self.hand_over()
        }
    }

    fn stand_in_line(&self) -> Entry {
        let mut line = lock(&self.line);
        loop {
            // One may have been left since.
            if self.places.take() {
                return Entry::Place;
            }
            if self.places.count().waiting >= self.max_waiting {
                return Entry::Full;
            }
            if self.places.one_waits_more() {
                let number = Number(line.next);
                line.next += 1;
                line.waiting.push_back((number, Waker::noop().clone()));
                return Entry::Wait(number);
            }
        }
    }

    fn hand_over(&self) -> Option<Waker> {
        let mut line = lock(&self.line);
        // The last one may have given up since.
        if self.places.give_back() {
            return None;
        }
        let (_, waker) = line.waiting.pop_front()?;
        self.places.one_waits_less();
        Some(waker)
    }
}

impl Line {
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
        let queue = Queue::new(1, 2);
        assert_eq!(queue.enter(), Entry::Place);
        let first = number(queue.enter());
        let second = number(queue.enter());
        assert_eq!(queue.enter(), Entry::Full);
        assert!(queue.leave().is_some());
        assert!(queue.has_place(first, Waker::noop()));
        assert!(!queue.has_place(second, Waker::noop()));
        assert_eq!(queue.usage().0, 1, "the place changed hands");
    }

    #[test]
    fn a_newcomer_does_not_overtake_who_waits() {
        let queue = Queue::new(1, 1);
        assert_eq!(queue.enter(), Entry::Place);
        number(queue.enter());
        queue.leave();
        assert_ne!(queue.enter(), Entry::Place);
    }

    #[test]
    fn who_gives_up_after_the_hand_over_passes_the_place_on() {
        let queue = Queue::new(1, 2);
        assert_eq!(queue.enter(), Entry::Place);
        let first = number(queue.enter());
        let second = number(queue.enter());
        queue.leave();
        assert!(queue.give_up(first).is_some());
        assert!(queue.has_place(second, Waker::noop()));
        assert!(queue.leave().is_none());
        assert_eq!(queue.usage().0, 0);
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
            let queue = Queue::new(limit, max);
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
                prop_assert_eq!(queue.usage().0 as usize, running.len());
                prop_assert_eq!(queue.usage().1 as usize, waiting.len());
                prop_assert!(queue.usage().0 <= limit);
                prop_assert!(waiting.is_empty() || queue.usage().0 == limit);
                for number in &waiting {
                    prop_assert!(!queue.has_place(*number, Waker::noop()));
                }
            }
        }
    }
}
