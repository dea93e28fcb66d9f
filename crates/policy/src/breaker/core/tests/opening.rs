//! Why it opened, and for how long.

use super::*;

const SLOW: Sample = Sample {
    record: Some(Record {
        failed: false,
        slow: true,
    }),
    cause: "slow",
    ..GOOD
};
/// Fails, and asks for twenty seconds.
const BUSY: Sample = Sample {
    cause: "busy",
    retry_after: Some(Duration::from_secs(20)),
    ..BAD
};

/// Why a breaker is open after these samples, the last of which comes `later` than the others, and for how long.
fn opened_by(
    config: &BreakerConfig,
    samples: &[Sample],
    later: Duration,
) -> (OpenedBecause, Duration) {
    let now = Instant::now();
    let mut core = Core::new(config, Duration::from_secs(4), 1, now);
    let (last, before) = samples.split_last().unwrap();
    before.iter().for_each(|it| attempt(&mut core, *it, now));
    assert_eq!(core.state(), BreakerState::Closed);
    let now = now + later;
    attempt(&mut core, *last, now);
    let why = core.opened_because().expect("it is open");
    (why, core.retry_after(&at(now)).unwrap())
}

#[test]
fn it_says_why_it_opened_until_it_closes() {
    let now = Instant::now();
    let mut core = core(now);
    attempt(&mut core, GOOD, now);
    let refused = Sample {
        cause: "connect_refused",
        ..BAD
    };
    attempt(&mut core, BAD, now);
    attempt(&mut core, BAD, now);
    let last = pass(&mut core, now);
    let told = core.settle(last, refused, &at(now)).unwrap().because;
    let expected = OpenedBecause {
        rule: OpeningRule::ConsecutiveFailures,
        calls: 4,
        failures: 3,
        slow: 0,
        in_a_row: 3,
        last_error: "connect_refused",
    };
    assert_eq!(told, Some(expected));
    assert_eq!(core.opened_because(), told);
    let later = now + OPEN_TIME;
    attempt(&mut core, GOOD, later);
    attempt(&mut core, BAD, later);
    let probes = core.opened_because().unwrap();
    let figures = (probes.rule, probes.calls, probes.failures);
    assert_eq!(figures, (OpeningRule::Probes, 2, 1));
    let recovered = later + OPEN_TIME * 3;
    (0..2).for_each(|_| attempt(&mut core, GOOD, recovered));
    assert_eq!(core.state(), BreakerState::Closed);
    assert_eq!(core.opened_because(), None);
}

#[test]
fn reopened_by_answers_that_say_nothing_it_still_tells_what_it_opened_by() {
    let now = Instant::now();
    let config = BreakerConfig {
        half_open_calls: 3,
        ..breaker_config()
    };
    let mut core = Core::new(&config, Duration::from_secs(4), 1, now);
    let refused = Sample {
        cause: "connect_refused",
        ..BAD
    };
    (0..3).for_each(|_| attempt(&mut core, refused, now));
    let later = now + OPEN_TIME;
    attempt(&mut core, BAD, later);
    let neutral = Sample {
        record: None,
        cause: "not_found",
        ..GOOD
    };
    while core.state() == BreakerState::HalfOpen {
        attempt(&mut core, neutral, later);
    }
    assert_eq!(core.state(), BreakerState::Open);
    let told = core.opened_because().unwrap();
    let expected = (OpeningRule::Probes, "connect_refused");
    assert_eq!((told.rule, told.last_error), expected);
}

#[test]
fn opened_by_a_success_it_tells_the_last_failure_and_keeps_what_that_asked_for() {
    let config = breaker_config();
    let samples = [BUSY, BAD, GOOD, BUSY, GOOD];
    let (why, open_for) = opened_by(&config, &samples, Duration::from_secs(4));
    let told = (why.rule, why.failures, why.last_error);
    assert_eq!(told, (OpeningRule::FailureRate, 3, "busy"));
    assert_eq!(open_for, Duration::from_secs(16), "four seconds later");
    let samples = [BUSY, BUSY, GOOD, BAD, SLOW];
    let (why, open_for) = opened_by(&config, &samples, Duration::ZERO);
    assert_eq!(why.last_error, "failed", "not by what was merely slow");
    assert!(open_for <= OPEN_TIME, "the last one asked for nothing");
    let (_, open_for) = opened_by(&config, &[BUSY, BUSY, GOOD, BUSY, GOOD], OPEN_TIME * 9);
    assert!(open_for <= OPEN_TIME, "that time is over");
}

#[test]
fn opened_for_slowness_by_a_fast_attempt_it_tells_what_was_slow() {
    let config = breaker_config();
    let (why, _) = opened_by(&config, &[SLOW, SLOW, SLOW, SLOW, GOOD], Duration::ZERO);
    let told = (why.rule, why.slow, why.last_error);
    assert_eq!(told, (OpeningRule::SlowCallRate, 4, "slow"));
    let (why, open_for) = opened_by(&config, &[SLOW, SLOW, SLOW, SLOW, BUSY], Duration::ZERO);
    assert_eq!(why.last_error, "slow");
    assert_eq!(open_for, Duration::from_secs(20), "it has just been asked");
}

#[test]
fn what_the_last_failure_said_survives_another_configuration() {
    let now = Instant::now();
    let lease = Duration::from_secs(4);
    let mut core = Core::new(&breaker_config(), lease, 1, now);
    for sample in [BUSY, BUSY, GOOD] {
        attempt(&mut core, sample, now);
    }
    let fewer = BreakerConfig {
        minimum_calls: 4,
        ..breaker_config()
    };
    core.reconfigure(&fewer, lease, now);
    attempt(&mut core, GOOD, now);
    assert_eq!(core.opened_because().unwrap().last_error, "busy");
    assert_eq!(core.retry_after(&at(now)), Some(Duration::from_secs(20)));
}

#[test]
fn the_dependencys_wish_lengthens_the_open_time_up_to_its_cap() {
    for (asked, least, most) in [(1, 5, 6), (17, 17, 17), (3_600, 30, 30)] {
        let now = Instant::now();
        let mut core = core(now);
        let busy = Sample {
            retry_after: Some(Duration::from_secs(asked)),
            ..BAD
        };
        (0..3).for_each(|_| attempt(&mut core, busy, now));
        let open_for = core.retry_after(&at(now)).unwrap();
        let bounds = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(bounds.contains(&open_for), "{asked}: {open_for:?}");
    }
}
