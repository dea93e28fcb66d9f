use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::Wake;

use super::*;

fn one_place(max_waiting: u32) -> Slots {
    let config = BulkheadConfig {
        max_concurrent: 1,
        max_waiting,
        max_wait: Duration::from_secs(1),
        adaptive: None,
    };
    Slots::new(&config, Reporter::new("slots", Vec::new()))
}

fn wait(slots: &Slots) -> Wait {
    match slots.claim(Priority::USUAL, || Duration::MAX) {
        Claim::Wait(wait) => wait,
        _ => panic!("all slots are taken"),
    }
}

/// A task that nothing but its waker keeps alive, and that waits in the same queue.
struct Task {
    _waits: StdMutex<Wait>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn with_a_waker_another_wait_of_the_same_queue_may_end() {
    let slots = one_place(2);
    let _place = slots.claim(Priority::USUAL, || Duration::MAX);
    let (mut first, second) = (wait(&slots), wait(&slots));
    let task = Task {
        _waits: StdMutex::new(second),
    };
    let waker = Waker::from(Arc::new(task));
    assert!(matches!(
        first.poll_permit(&mut Context::from_waker(&waker)),
        WaitState::Waiting
    ));
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
    let _place = slots.claim(Priority::USUAL, || Duration::MAX);
    let mut waiting = wait(&slots);
    let waker = Waker::from(Arc::new(PanicsWhenDropped));
    assert!(matches!(
        waiting.poll_permit(&mut Context::from_waker(&waker)),
        WaitState::Waiting
    ));
    drop(waker);
    let look_again = || waiting.poll_permit(&mut Context::from_waker(Waker::noop()));
    assert!(catch_unwind(AssertUnwindSafe(look_again)).is_err());
    drop(waiting);
    slots.give_back();
    assert_eq!(slots.usage(), (0, 0));
}

struct PanicsWhenWoken;

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

#[test]
fn a_waker_that_panics_hits_nobody_who_has_nothing_to_do_with_it() {
    let slots = one_place(1);
    let _place = slots.claim(Priority::USUAL, || Duration::MAX);
    let mut waiting = match slots.claim(Priority::LEAST, || Duration::MAX) {
        Claim::Wait(wait) => wait,
        _ => panic!("all slots are taken"),
    };
    let waker = Waker::from(Arc::new(PanicsWhenWoken));
    let mut context = Context::from_waker(&waker);
    assert!(matches!(
        waiting.poll_permit(&mut context),
        WaitState::Waiting
    ));
    let mut urgent = wait(&slots);
    assert!(matches!(waiting.poll_permit(&mut context), WaitState::Shed));
    assert!(matches!(
        urgent.poll_permit(&mut context),
        WaitState::Waiting
    ));
    slots.give_back();
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(
        urgent.poll_permit(&mut context),
        WaitState::Admitted(_)
    ));
    drop(urgent);
    assert_eq!(slots.usage(), (0, 0));
}
