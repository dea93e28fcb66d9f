//! The decision core of the bulkhead: who has a slot, who waits, who is next.
//!
//! Invariants: nobody gets a slot beyond the limit, though more may be taken for a while after it
//! shrank; somebody waits only while no slot is free, or the freed one is on its way to them. It is
//! handed to the most urgent of those who wait, among equals to the first, so a newcomer never
//! overtakes a waiter. The one too many is the least urgent, among equals the newest.
//!
//! While nobody waits a slot is taken and left without a lock; the lock is the line's, where those
//! who wait stand in order.

use std::collections::{HashSet, VecDeque};
use std::task::Waker;

use super::slot_counter::SlotCounter;
use crate::lock::lock;
use crate::priority::Priority;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// Names one wait. Later waits have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    priority: Priority,
    number: u64,
}

/// What a newcomer gets.
#[derive(Debug)]
pub(crate) enum Entry {
    Admitted,
    /// Somebody less urgent may have had to leave for it: its waker.
    Wait(Number, Option<Waker>),
    /// It would be served too late.
    InVain,
    Full,
}

/// Where one who waits stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Admitted,
    Wait,
    /// Somebody more urgent has come.
    Shed,
}

#[derive(Debug)]
pub(crate) struct Queue {
    max_waiting: AtomicU32,
    /// Asked by who need not wait.
    pub(super) counter: SlotCounter,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    // By priority, the most urgent first; each sorted by number: numbers are handed out in order and
    // leave from anywhere.
    waiting: [VecDeque<(u64, Waker)>; Priority::COUNT],
    // Those who had to leave and have not looked since.
    shed: HashSet<u64>,
    next: u64,
}

impl Queue {
    pub(crate) fn new(limit: u32, max_waiting: u32) -> Self {
        let mut waiting: [VecDeque<_>; Priority::COUNT] = Default::default();
        if let Some(usual) = waiting.get_mut(Priority::default().index()) {
            usual.reserve_exact(max_waiting as usize);
        }
        let line = Line {
            waiting,
            shed: HashSet::new(),
            next: 0,
        };
        Self {
            max_waiting: AtomicU32::new(max_waiting),
            counter: SlotCounter::new(limit),
            line: Mutex::new(line),
        }
    }

    /// So many may wait from now on; those who wait already may stay.
    pub(crate) fn set_max_waiting(&self, max_waiting: u32) {
        self.max_waiting.store(max_waiting, Ordering::Relaxed);
    }

    /// There are so many slots from now on; the wakers of those who get one at once are returned.
    #[must_use]
    pub(crate) fn set_limit(&self, limit: u32) -> Vec<Waker> {
        let mut woken = Vec::new();
        if self.counter.count().limit == limit {
            return woken;
        }
        let mut line = lock(&self.line);
        self.counter.set_limit(limit);
        while self.counter.promote() {
            woken.extend(line.first());
        }
        woken
    }

    /// Whether anybody may wait.
    pub(crate) fn has_line(&self) -> bool {
        self.max_waiting.load(Ordering::Relaxed) > 0
    }

    /// An attempt has found no slot and would wait. `in_time` tells whether the turn that it would have comes early enough:
    /// for one that would wait in vain nobody leaves. One that waits is known by a waker that does nothing until its first
    /// look at the queue.
    pub(crate) fn line_up(&self, priority: Priority, in_time: impl Fn(usize) -> bool) -> Entry {
        let mut line = lock(&self.line);
        loop {
            // One may have been left since.
            if self.counter.take() {
                return Entry::Admitted;
            }
            let full = self.counter.count().waiting >= self.max_waiting.load(Ordering::Relaxed);
            if full && !line.holds_below(priority) {
                return Entry::Full;
            }
            if !in_time(line.as_urgent_as(priority) + 1) {
                return Entry::InVain;
            }
            // The newcomer takes the turn of the one who leaves: as many wait as before.
            if full || self.counter.one_waits_more() {
                let shed = if full { line.shed_last() } else { None };
                return Entry::Wait(line.push(priority), shed);
            }
        }
    }

    /// Where `number` stands; if it waits, `waker` is told when that changes.
    pub(crate) fn turn(&self, number: Number, waker: &Waker) -> Turn {
        let mut line = lock(&self.line);
        let Some(known) = line.find(number) else {
            return line.turn_of_absent(number);
        };
        let known = Some(known).filter(|known| !known.will_wake(waker));
        let replaced = known.map(|known| std::mem::replace(known, waker.clone()));
        // Outside the lock: with the last clone of a waker its task may go, and whatever that held.
        drop(line);
        drop(replaced);
        Turn::Wait
    }

    /// `number` waits no longer. Had it been handed a slot meanwhile, the slot is passed on, and
    /// its new holder's waker is returned.
    pub(crate) fn give_up(&self, number: Number) -> Option<Waker> {
        let mut line = lock(&self.line);
        if let Some(gone) = line.remove(number) {
            self.counter.one_waits_less();
            drop(line);
            drop(gone);
            return None;
        }
        let turn = line.turn_of_absent(number);
        drop(line);
        match turn {
            Turn::Shed => None,
            Turn::Admitted | Turn::Wait => self.leave(),
        }
    }

    /// A slot is free again: goes to the first in the queue, whose waker is returned.
    #[inline]
    pub(crate) fn leave(&self) -> Option<Waker> {
        if self.counter.give_back() {
            self.hand_over()
        } else {
            None
        }
    }

    fn hand_over(&self) -> Option<Waker> {
        let mut line = lock(&self.line);
        // The last one may have given up since, and of slots above the limit none goes on.
        if self.counter.promote() {
            line.first()
        } else {
            None
        }
    }
}

impl Line {
    fn push(&mut self, priority: Priority) -> Number {
        let number = self.next;
        self.next += 1;
        if let Some(waiting) = self.waiting.get_mut(priority.index()) {
            waiting.push_back((number, Waker::noop().clone()));
        }
        Number { priority, number }
    }

    /// The most urgent, among equals the first.
    fn first(&mut self) -> Option<Waker> {
        let first = self.waiting.iter_mut().find_map(VecDeque::pop_front);
        first.map(|(_, waker)| waker)
    }

    /// How many are served before one who comes with `priority`.
    fn as_urgent_as(&self, priority: Priority) -> usize {
        let as_urgent = self.waiting.iter().take(priority.index() + 1);
        as_urgent.map(VecDeque::len).sum()
    }

    /// Whether anybody is less urgent than `priority`.
    fn holds_below(&self, priority: Priority) -> bool {
        let mut below = self.waiting.iter().skip(priority.index() + 1);
        below.any(|waiting| !waiting.is_empty())
    }

    /// The least urgent has to leave, among equals the newest.
    fn shed_last(&mut self) -> Option<Waker> {
        let last = self.waiting.iter_mut().rev().find_map(VecDeque::pop_back);
        let (number, waker) = last?;
        self.shed.insert(number);
        Some(waker)
    }

    fn find(&mut self, number: Number) -> Option<&mut Waker> {
        let waiting = self.waiting.get_mut(number.priority.index())?;
        let index = waiting.binary_search_by_key(&number.number, |(number, _)| *number);
        waiting.get_mut(index.ok()?).map(|(_, waker)| waker)
    }

    fn remove(&mut self, number: Number) -> Option<Waker> {
        let waiting = self.waiting.get_mut(number.priority.index())?;
        let index = waiting.binary_search_by_key(&number.number, |(number, _)| *number);
        waiting.remove(index.ok()?).map(|(_, waker)| waker)
    }

    /// Of one who does not wait any more. It is told once.
    fn turn_of_absent(&mut self, number: Number) -> Turn {
        if self.shed.remove(&number.number) {
            Turn::Shed
        } else {
            Turn::Admitted
        }
    }
}

#[cfg(test)]
mod tests;
