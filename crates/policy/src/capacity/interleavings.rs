//! The slots under every interleaving of two threads that loom can find.

use std::task::{Context, Waker};
use std::time::Duration;

use loom::thread;

use super::slots::{Claim, Permit, Slots, WaitState};
use crate::config::BulkheadConfig;
use crate::priority::Priority;
use crate::reporter::Reporter;

fn one_place(max_waiting: u32) -> Slots {
    let config = BulkheadConfig {
        max_concurrent: 1,
        max_waiting,
        max_wait: Duration::from_secs(1),
        adaptive: None,
    };
    Slots::new(&config, Reporter::new("loom", Vec::new()))
}

#[test]
fn one_place_is_held_by_one_and_free_when_both_have_left() {
    loom::model(|| {
        let slots = one_place(1);
        let rival = slots.clone();
        let visit = |slots: &Slots| {
            let claim = slots.claim(Priority::USUAL, || Duration::MAX);
            assert!(slots.usage().0 <= 1, "two have the slot");
            // What is waited for is given up with the claim.
            if let Claim::Taken = claim {
                slots.give_back();
            }
        };
        let other = thread::spawn(move || visit(&rival));
        visit(&slots);
        other.join().unwrap();
        assert_eq!(slots.usage(), (0, 0));
    });
}

#[test]
fn who_waits_gets_the_place_that_is_left() {
    loom::model(|| {
        let slots = one_place(1);
        let Claim::Taken = slots.claim(Priority::USUAL, || Duration::MAX) else {
            panic!("the first gets the slot");
        };
        let permit = Permit::new(slots.clone());
        let Claim::Wait(mut wait) = slots.claim(Priority::USUAL, || Duration::MAX) else {
            panic!("the second waits");
        };
        let other = thread::spawn(move || drop(permit));
        let mut context = Context::from_waker(Waker::noop());
        let early = wait.poll_permit(&mut context);
        other.join().unwrap();
        let slot = match early {
            WaitState::Waiting => wait.poll_permit(&mut context),
            early => early,
        };
        assert!(matches!(slot, WaitState::Admitted(_)), "nobody else has it");
        assert_eq!(slots.usage(), (1, 0));
    });
}

#[test]
fn a_limit_that_grows_while_a_place_is_left_loses_neither() {
    loom::model(|| {
        let slots = one_place(2);
        let Claim::Taken = slots.claim(Priority::USUAL, || Duration::MAX) else {
            panic!("the first gets the slot");
        };
        let permit = Permit::new(slots.clone());
        let Claim::Wait(mut wait) = slots.claim(Priority::USUAL, || Duration::MAX) else {
            panic!("the second waits");
        };
        let grower = slots.clone();
        let other = thread::spawn(move || grower.set_limit(2));
        drop(permit);
        other.join().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let slot = wait.poll_permit(&mut context);
        assert!(matches!(slot, WaitState::Admitted(_)));
        assert_eq!(slots.usage(), (1, 0));
        assert!(matches!(
            slots.claim(Priority::USUAL, || Duration::MAX),
            Claim::Taken
        ));
    });
}
