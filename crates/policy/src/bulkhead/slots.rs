//! The places of one bulkhead, shared by all calls to its dependency.
//!
//! A place, or a wait for one, is a guard: dropping it gives it back, whatever the reason.

use std::sync::Arc;
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
    #[inline]
    pub fn limit(&self) -> u32 {
        self.shared.limit
    }

    /// Places taken, and attempts waiting for one.
    pub fn usage(&self) -> (u32, u32) {
        self.shared.queue.usage()
    }

    pub(super) fn max_wait(&self) -> Duration {
        self.shared.max_wait
    }

    pub(super) fn policy(&self) -> &Arc<str> {
        self.shared.reporter.name()
    }

    #[inline]
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
        let (slots, number) = self.claim.as_ref()?;
        if !slots.shared.queue.has_place(*number, cx.waker()) {
            return None;
        }
        let (slots, _) = self.claim.take()?;
        Some(Permit { slots })
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        wake(self.slots.shared.queue.leave());
    }
}

impl Drop for Wait {
    #[inline]
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::task::Wake;

    use super::*;

    fn one_place(max_waiting: u32) -> Slots {
        let config = BulkheadConfig {
            max_concurrent: 1,
            max_waiting,
            max_wait: Duration::from_secs(1),
        };
        Slots::new(&config, Reporter::new("slots", Vec::new()))
    }

    fn wait(slots: &Slots) -> Wait {
        match slots.claim() {
            Claim::Wait(wait) => wait,
            _ => panic!("all places are taken"),
        }
    }

    /// A task that nothing but its waker keeps alive, and that waits in the same queue.
    struct Task {
        _waits: Mutex<Wait>,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn with_a_waker_another_wait_of_the_same_queue_may_end() {
        let slots = one_place(2);
        let _place = slots.claim();
        let (mut first, second) = (wait(&slots), wait(&slots));
        let task = Task {
            _waits: Mutex::new(second),
        };
        let waker = Waker::from(Arc::new(task));
        assert!(first.place(&mut Context::from_waker(&waker)).is_none());
        drop(waker);
        drop(first);
        assert_eq!(slots.usage(), (1, 0));
    }

    struct PanicsWhenDropped;

    impl Wake for PanicsWhenDropped {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for PanicsWhenDropped {
        #[inline]
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    #[test]
    fn a_waker_that_panics_costs_no_place() {
        let slots = one_place(1);
        let place = slots.claim();
        let mut waiting = wait(&slots);
        let waker = Waker::from(Arc::new(PanicsWhenDropped));
        assert!(waiting.place(&mut Context::from_waker(&waker)).is_none());
        drop(waker);
        let look_again = || waiting.place(&mut Context::from_waker(Waker::noop()));
        assert!(catch_unwind(AssertUnwindSafe(look_again)).is_err());
        drop(waiting);
        drop(place);
        assert_eq!(slots.usage(), (0, 0));
    }
}
