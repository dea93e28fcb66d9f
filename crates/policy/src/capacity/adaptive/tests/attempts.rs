//! Attempts one by one: which of those that ended without an answer are held against the limit, and how soon a lower latency is
//! believed.

use super::*;

/// So many attempts, admitted and ended these milliseconds after `origin`, while all of the limit is in use.
fn feed(limit: &mut Adaptive, origin: Instant, span: (u64, u64), signal: Signal, number: u32) {
    for _ in 0..number {
        limit.observe(sample(origin, span, limit.limit(), signal));
    }
}

fn sample(origin: Instant, span: (u64, u64), in_flight: u32, signal: Signal) -> Sample {
    let at = |millis| origin + Duration::from_millis(millis);
    Sample {
        admitted: at(span.0),
        ended: at(span.1),
        in_flight,
        signal,
    }
}

#[test]
fn a_timeout_from_before_the_limit_last_shrank_is_not_held_against_the_lower_one() {
    let origin = Instant::now();
    let mut limit = Adaptive::new(&config(), 1_000, origin);
    let first = limit.limit();
    feed(&mut limit, origin, (0, 150), Signal::Overloaded, 20);
    let lower = limit.limit();
    assert!(lower < first);
    feed(&mut limit, origin, (149, 2_000), Signal::Overloaded, 40);
    assert_eq!(limit.limit(), lower);
    feed(&mut limit, origin, (150, 2_000), Signal::Overloaded, 40);
    assert!(limit.limit() < lower);
}

#[test]
fn a_timeout_that_began_while_the_limit_stood_still_is_held_against_it() {
    let origin = Instant::now();
    let most = config().initial;
    let mut limit = Adaptive::new(&config(), most, origin);
    feed(&mut limit, origin, (0, 150), Signal::Answered, 20);
    feed(&mut limit, origin, (150, 450), Signal::Answered, 20);
    assert_eq!(limit.limit(), most);
    feed(&mut limit, origin, (100, 2_000), Signal::Overloaded, 20);
    assert!(limit.limit() < most);
}

#[test]
fn who_gives_up_sooner_than_is_normal_tells_nothing_and_who_waited_longer_does() {
    let origin = Instant::now();
    let tolerant = AdaptiveConfig {
        tolerance: 2.0,
        ..config()
    };
    let mut limit = Adaptive::new(&tolerant, tolerant.initial, origin);
    feed(&mut limit, origin, (0, 250), Signal::Answered, 20);
    feed(&mut limit, origin, (250, 500), Signal::Answered, 20);
    assert_eq!(limit.least(), Some(0.25));
    let found = limit.limit();
    feed(&mut limit, origin, (2_000, 2_500), Signal::GivenUp, 80);
    assert_eq!(limit.limit(), found);
    feed(&mut limit, origin, (2_000, 2_501), Signal::GivenUp, 80);
    assert!(limit.limit() < found);
}

#[test]
fn a_latency_that_is_a_little_lower_is_believed_a_little_and_one_far_lower_at_once() {
    let origin = Instant::now();
    let mut limit = Adaptive::new(&config(), config().initial, origin);
    feed(&mut limit, origin, (0, 1_000), Signal::Answered, 20);
    feed(&mut limit, origin, (1_000, 2_000), Signal::Answered, 20);
    assert_eq!(limit.least(), Some(1.0));
    feed(&mut limit, origin, (2_000, 2_800), Signal::Answered, 20);
    feed(&mut limit, origin, (3_000, 3_800), Signal::Answered, 20);
    let least = limit.least().unwrap();
    assert!((0.97..0.99).contains(&least), "{least}");
    feed(&mut limit, origin, (4_000, 4_500), Signal::Answered, 20);
    feed(&mut limit, origin, (5_000, 5_500), Signal::Answered, 20);
    assert_eq!(limit.least(), Some(0.5));
}

#[test]
fn a_limit_that_is_used_grows_by_its_headroom_and_a_small_one_by_one() {
    for (initial, shrunk, grown) in [(100, 80, 88), (5, 4, 5)] {
        let origin = Instant::now();
        let start = AdaptiveConfig {
            initial,
            ..config()
        };
        let mut limit = Adaptive::new(&start, 1_000, origin);
        feed(&mut limit, origin, (0, 150), Signal::Overloaded, 20);
        assert_eq!(limit.limit(), shrunk);
        feed(&mut limit, origin, (1_000, 2_000), Signal::Answered, 20);
        feed(&mut limit, origin, (2_000, 3_000), Signal::Answered, 20);
        assert_eq!(limit.limit(), grown);
    }
}

#[test]
fn what_a_limit_lost_while_it_was_not_in_use_comes_back_and_no_more() {
    let origin = Instant::now();
    let mut limit = Adaptive::new(&config(), config().initial, origin);
    // Two at once, one after the other, from these seconds on, each for so long.
    let quietly = |limit: &mut Adaptive, seconds: std::ops::Range<u64>, took: u64, signal| {
        for begun in (seconds.start * 1_000..seconds.end * 1_000).step_by(500) {
            limit.observe(sample(origin, (begun, begun + took), 2, Signal::Answered));
            limit.observe(sample(origin, (begun, begun + took), 2, signal));
        }
    };
    let found = limit.limit();
    quietly(&mut limit, 0..10, 100, Signal::Answered);
    assert_eq!(limit.limit(), found);
    quietly(&mut limit, 10..40, 300, Signal::Answered);
    assert_eq!(limit.limit(), config().min);
    // A moment in which the little that is left is all in use.
    for _ in 0..40 {
        let at = (40_500, 40_600);
        limit.observe(sample(origin, at, config().min, Signal::Answered));
    }
    quietly(&mut limit, 41..240, 100, Signal::Answered);
    assert_eq!(limit.limit(), found);
    quietly(&mut limit, 240..270, 100, Signal::Overloaded);
    assert_eq!(limit.limit(), config().min);
    quietly(&mut limit, 270..470, 100, Signal::Answered);
    assert_eq!(limit.limit(), found);
}
