//! The places of one bulkhead, shared by all calls to its dependency.
//!
//! A place, or a wait for one, is a guard: dropping it gives it back, whatever the reason.

use std::task::{Context, Waker};
use std::time::Duration;

use super::queue::{Entry, Number, Queue};
use crate::config::BulkheadConfig;
use crate::event::{Event, RejectedBy};
use crate::handle::Handle;
use crate::reporter::Reporter;

/// The places of one bulkhead. Clones share them.
#[derive(Clone, Debug)]
pub struct Slots {
    shared: Handle<Shared>,
}

#[derive(Debug)]
struct Shared {
    reporter: Reporter,
    limit: u32,
    max_wait: Duration,
    queue: Queue,
}

/// A place, until dropped.
#[derive(Debug)]
pub(super) struct Permit {
    slots: Slots,
}

/// A wait for a place, until dropped or exchanged for a [`Permit`].
#[derive(Debug)]
pub(super) struct Wait {
    // `None` once exchanged.
    claim: Option<(Slots, Number)>,
}

pub(super) enum Claim {
    Permit(Permit),
    Wait(Wait),
    Full,
}

impl Slots {
    /// The places that `config` grants.
    pub fn new(config: &BulkheadConfig, reporter: Reporter) -> Self {
        let limit = config.max_concurrent;
        let queue = Queue::new(limit, config.max_waiting);
        Self {
            shared: Handle::new(Shared {
                reporter,
                limit,
                max_wait: config.max_wait,
                queue,
            }),
        }
    }

    /// The same places, by a handle that counts its own clones.
    pub(crate) fn fork(&self) -> Self {
        let shared = self.shared.fork();
        Self { shared }
    }

    /// Places in all.
    pub fn limit(&self) -> u32 {
        self.shared.limit
    }

    /// Places taken, and attempts waiting for one.
    pub fn usage(&self) -> (u32, u32) {
        let queue = &self.shared.queue;
        (queue.in_flight(), queue.waiting())
    }

    pub(super) fn max_wait(&self) -> Duration {
        self.shared.max_wait
    }

    pub(super) fn policy(&self) -> &'static str {
        self.shared.reporter.policy()
    }

    pub(super) fn claim(&self) -> Claim {
        match self.shared.queue.enter() {
            Entry::Place => Claim::Permit(Permit {
                slots: self.clone(),
            }),
            Entry::Wait(number) => Claim::Wait(Wait {
                claim: Some((self.clone(), number)),
            }),
            Entry::Full => Claim::Full,
        }
    }

    pub(super) fn tell_refused(&self) {
        let by = RejectedBy::Bulkhead;
        self.shared.reporter.tell(&Event::Rejected {
            policy: self.policy(),
            by,
        });
    }
}

impl Wait {
    /// The place, once this wait is at its end; until then the task is woken when it is.
    pub(super) fn place(&mut self, cx: &mut Context<'_>) -> Option<Permit> {
        let (slots, number) = self.claim.take()?;
        let has_place = slots.shared.queue.has_place(number, cx.waker());
        if has_place {
            return Some(Permit { slots });
        }
        self.claim = Some((slots, number));
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        wake(self.slots.shared.queue.leave());
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some((slots, number)) = self.claim.take() {
            wake(slots.shared.queue.give_up(number));
        }
    }
}

/// Outside the lock: a waker may run the woken task's code.
fn wake(next: Option<Waker>) {
    if let Some(waker) = next {
        waker.wake();
    }
}
