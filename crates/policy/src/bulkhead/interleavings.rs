//! The places under every interleaving of two threads that loom can find.

use std::task::{Context, Waker};
use std::time::Duration;

use loom::thread;

use super::slots::{Claim, Slots};
use crate::config::BulkheadConfig;
use crate::reporter::Reporter;

fn one_place(max_waiting: u32) -> Slots {
    let config = BulkheadConfig {
        max_concurrent: 1,
        max_waiting,
        max_wait: Duration::from_secs(1),
    };
    Slots::new(&config, Reporter::new("loom", Vec::new()))
}

#[test]
fn one_place_is_held_by_one_and_free_when_both_have_left() {
    loom::model(|| {
        let slots = one_place(1);
        let rival = slots.clone();
        let visit = |slots: &Slots| {
            let claim = slots.claim();
            assert!(slots.usage().0 <= 1, "two have the place");
            // Held, waited for or given up: whatever it is goes back here.
            drop(claim);
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
        let Claim::Permit(permit) = slots.claim() else {
            panic!("the first gets the place");
        };
        let Claim::Wait(mut wait) = slots.claim() else {
            panic!("the second waits");
        };
        let other = thread::spawn(move || drop(permit));
        let mut context = Context::from_waker(Waker::noop());
        let early = wait.place(&mut context);
        other.join().unwrap();
        let place = early.or_else(|| wait.place(&mut context));
        assert!(place.is_some(), "nobody else has it");
        assert_eq!(slots.usage(), (1, 0));
    });
}
