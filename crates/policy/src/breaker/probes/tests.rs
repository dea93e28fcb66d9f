//! Probes, without any clock but the one the test moves.

use super::*;
use crate::support::breaker_config;

const GOOD: ProbeResult = ProbeResult::Counted(Record {
    failed: false,
    slow: false,
});
const BAD: ProbeResult = ProbeResult::Counted(Record {
    failed: true,
    slow: false,
});
const SLOW: ProbeResult = ProbeResult::Counted(Record {
    failed: false,
    slow: true,
});
const NOTHING: ProbeResult = ProbeResult::Nothing;
const LEASE: Duration = Duration::from_secs(4);

fn probes(half_open_calls: u32, failure_rate: f64) -> Probes {
    let config = BreakerConfig {
        half_open_calls,
        failure_rate,
        ..breaker_config()
    };
    Probes::new(&config, LEASE)
}

/// The verdict after each of the results, one probe at a time.
fn verdicts(probes: &mut Probes, results: &[ProbeResult]) -> Vec<Verdict> {
    let probe = |result: &ProbeResult| {
        let key = probes.admit(Instant::now()).unwrap();
        probes.settle(key, *result)
    };
    results.iter().map(probe).collect()
}

#[test]
fn all_good_probes_close() {
    use Verdict::{Close, Undecided};
    assert_eq!(
        verdicts(&mut probes(2, 0.5), &[GOOD, GOOD]),
        [Undecided, Close]
    );
}

#[test]
fn the_verdict_falls_as_soon_as_it_is_certain() {
    use Verdict::{Close, Reopen, Undecided};
    // Three bad ones of five reach a rate of one half; three good ones make that impossible.
    let mut five = probes(5, 0.5);
    assert_eq!(
        verdicts(&mut five, &[BAD, BAD, BAD]),
        [Undecided, Undecided, Reopen]
    );
    five.clear();
    assert_eq!(
        verdicts(&mut five, &[GOOD, GOOD, GOOD]),
        [Undecided, Undecided, Close]
    );
}

#[test]
fn one_flaky_probe_of_many_does_not_reopen() {
    use Verdict::{Close, Undecided};
    let expected = [Undecided, Undecided, Undecided, Close];
    assert_eq!(
        verdicts(&mut probes(5, 0.5), &[GOOD, BAD, GOOD, GOOD]),
        expected
    );
}

#[test]
fn a_slow_probe_is_a_bad_one() {
    assert_eq!(verdicts(&mut probes(1, 0.5), &[SLOW]), [Verdict::Reopen]);
}

#[test]
fn a_probe_that_says_nothing_gives_its_slot_back() {
    use Verdict::{Close, Undecided};
    let mut probes = probes(1, 0.5);
    assert_eq!(verdicts(&mut probes, &[NOTHING, NOTHING, NOTHING, GOOD]), {
        [Undecided, Undecided, Undecided, Close]
    });
}

#[test]
fn neutral_answers_alone_do_not_keep_it_half_open_for_ever() {
    use Verdict::{Close, Reopen, Undecided};
    let mut silent = probes(2, 0.5);
    let verdicts_of_ten = verdicts(&mut silent, &[ProbeResult::Neutral; 10]);
    assert_eq!(verdicts_of_ten[..9], [Undecided; 9]);
    assert_eq!(verdicts_of_ten[9], Close);
    let mut one_bad = probes(3, 0.5);
    verdicts(&mut one_bad, &[BAD]);
    assert_eq!(
        verdicts(&mut one_bad, &[ProbeResult::Neutral; 15])[14],
        Reopen
    );
    let mut left = probes(2, 0.5);
    assert_eq!(verdicts(&mut left, &[NOTHING; 100]), [Undecided; 100]);
}

#[test]
fn never_more_probes_are_out_than_the_verdict_needs() {
    let now = Instant::now();
    let mut probes = probes(3, 1.0);
    probes.bad_to_reopen = 3;
    let first = probes.admit(now).unwrap();
    probes.admit(now).unwrap();
    probes.admit(now).unwrap();
    assert_eq!(probes.admit(now), Err(LEASE));
    assert_eq!(probes.settle(first, BAD), Verdict::Undecided);
    assert!(probes.admit(now).is_err(), "two are out and two are needed");
}

#[test]
fn a_lease_that_ran_out_frees_its_slot_and_silences_its_holder() {
    let now = Instant::now();
    let mut probes = probes(1, 0.5);
    let forgotten = probes.admit(now).unwrap();
    let almost = LEASE - Duration::from_millis(1);
    assert_eq!(probes.admit(now + almost), Err(Duration::from_millis(1)));
    let next = probes.admit(now + LEASE).unwrap();
    assert_eq!(probes.settle(forgotten, BAD), Verdict::Undecided);
    assert_eq!(probes.settle(next, GOOD), Verdict::Close);
}

#[test]
fn a_probe_from_before_a_new_configuration_is_none_of_its_own() {
    let now = Instant::now();
    let mut probes = probes(1, 0.5);
    let before = probes.admit(now).unwrap();
    probes.reconfigure(&breaker_config(), LEASE);
    let after = probes.admit(now).unwrap();
    assert_eq!(probes.settle(before, BAD), Verdict::Undecided);
    assert_eq!(probes.settle(after, BAD), Verdict::Reopen);
}
