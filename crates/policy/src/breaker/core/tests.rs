//! The states of a breaker, without any clock but the one the test moves.

mod opening;

use super::*;
use crate::support::breaker_config;

const GOOD: Sample = Sample {
    record: Some(Record {
        failed: false,
        slow: false,
    }),
    answered: true,
    cause: "failed",
    retry_after: None,
};
const BAD: Sample = Sample {
    record: Some(Record {
        failed: true,
        slow: false,
    }),
    ..GOOD
};
const FULL: u32 = 100;
const OPEN_TIME: Duration = Duration::from_secs(6);

fn at(instant: Instant) -> Now {
    instant.into()
}

fn core(now: Instant) -> Core {
    Core::new(&breaker_config(), Duration::from_secs(4), 1, now)
}

fn pass(core: &mut Core, now: Instant) -> Pass {
    core.admit(&at(now), FULL).0.unwrap()
}

fn attempt(core: &mut Core, sample: Sample, now: Instant) {
    let pass = pass(core, now);
    core.settle(pass, sample, &at(now));
}

fn opened(now: Instant) -> Core {
    let mut core = core(now);
    (0..3).for_each(|_| attempt(&mut core, BAD, now));
    assert_eq!(core.state(), BreakerState::Open);
    core
}

#[test]
fn every_transition_tells_its_states_and_a_new_generation() {
    let now = Instant::now();
    let mut core = opened(now);
    let (_, transition) = core.admit(&at(now + OPEN_TIME), FULL);
    let (from, to) = (BreakerState::Open, BreakerState::HalfOpen);
    assert_eq!(
        transition,
        Some(Transition {
            from,
            to,
            generation: 2,
            because: None,
        })
    );
}

#[test]
fn a_refusal_tells_what_remains_of_the_open_time() {
    let now = Instant::now();
    let mut core = opened(now);
    let whole = core.retry_after(&at(now)).unwrap();
    let later = now + Duration::from_secs(2);
    let expected = Refusal::Open(Some(whole - Duration::from_secs(2)));
    assert_eq!(core.admit(&at(later), FULL).0, Err(expected));
}

#[test]
fn results_of_an_older_generation_are_discarded() {
    let now = Instant::now();
    let mut core = core(now);
    let stale: Vec<_> = (0..5).map(|_| pass(&mut core, now)).collect();
    (0..3).for_each(|_| attempt(&mut core, BAD, now));
    let later = now + OPEN_TIME;
    let probe = pass(&mut core, later);
    for stale in stale {
        assert_eq!(core.settle(stale, GOOD, &at(later)), None);
        assert_eq!(core.settle(stale, BAD, &at(later)), None);
    }
    assert_eq!(core.state(), BreakerState::HalfOpen);
    core.settle(probe, BAD, &at(later));
    assert_eq!(core.state(), BreakerState::Open);
}

#[test]
fn results_from_before_the_outage_are_not_counted_after_it() {
    let now = Instant::now();
    let mut core = core(now);
    let stale: Vec<_> = (0..5).map(|_| pass(&mut core, now)).collect();
    (0..3).for_each(|_| attempt(&mut core, BAD, now));
    let later = now + OPEN_TIME;
    (0..2).for_each(|_| attempt(&mut core, GOOD, later));
    for stale in stale {
        assert_eq!(core.settle(stale, BAD, &at(later)), None);
    }
    assert_eq!(core.state(), BreakerState::Closed);
    assert_eq!(core.counts(&at(later)), Counts::default());
}

#[test]
fn a_reset_discards_what_is_under_way_even_if_it_was_closed() {
    let now = Instant::now();
    let mut core = core(now);
    let under_way: Vec<_> = (0..3).map(|_| pass(&mut core, now)).collect();
    assert_eq!(core.reset(), None, "closed before and after");
    under_way
        .into_iter()
        .for_each(|pass| assert_eq!(core.settle(pass, BAD, &at(now)), None));
    assert_eq!(core.counts(&at(now)), Counts::default());
}

#[test]
fn forced_open_and_disabled_hold_until_reset() {
    let now = Instant::now();
    let mut core = core(now);
    core.force_open();
    assert_eq!(
        core.admit(&at(now + OPEN_TIME), FULL).0,
        Err(Refusal::Open(None))
    );
    core.disable();
    (0..100).for_each(|_| attempt(&mut core, BAD, now));
    assert_eq!(core.state(), BreakerState::Disabled);
    core.reset();
    assert_eq!(core.state(), BreakerState::Closed);
    assert_eq!(core.counts(&at(now)), Counts::default());
}

#[test]
fn failures_from_before_the_outage_do_not_trip_it_after() {
    let now = Instant::now();
    let mut core = opened(now);
    let later = now + OPEN_TIME;
    (0..2).for_each(|_| attempt(&mut core, GOOD, later));
    assert_eq!(core.state(), BreakerState::Closed);
    (0..2).for_each(|_| attempt(&mut core, BAD, later));
    assert_eq!(core.state(), BreakerState::Closed);
}

#[test]
fn it_refuses_for_certain_only_within_the_open_time() {
    let now = Instant::now();
    let core = opened(now);
    let whole = core.retry_after(&at(now)).unwrap();
    assert!(core.refuses(now + whole - Duration::from_nanos(1)));
    assert!(!core.refuses(now + whole));
}

#[test]
fn who_comes_need_not_ask_while_all_are_admitted() {
    let now = Instant::now();
    let mut core = core(now);
    let standing = |core: &Core| core.gate_state().map(|it| (it.generation, it.steady));
    assert_eq!(standing(&core), Some((0, false)));
    (0..3).for_each(|_| attempt(&mut core, BAD, now));
    assert_eq!(standing(&core), None, "open");
    core.disable();
    assert_eq!(standing(&core), Some((2, true)), "nothing is counted");
    core.reset();
    assert_eq!(standing(&core), Some((3, false)));
}
