//! Whether all was well before anything was broken, and again at the end.

use std::time::Duration;

use super::{Check, words};
use crate::experiment::plan::{Side, Unit};
use crate::experiment::trial::{Call, End, Trial};

/// Of the calls that must be answered whole for a state to be called steady.
pub const STEADY_SHARE: f64 = 0.99;
/// How much of the end of the load must be steady.
const END: Duration = Duration::from_millis(1500);
/// Times the work of one call: who was meant to be sent that long before a fault has its answer by then.
const WORKS: u32 = 3;

/// Calls meant to be sent before this time must be whole: those that had their time before the first fault.
#[must_use]
pub fn judged_until(first_fault: Duration, work_delay: Duration) -> Duration {
    first_fault.saturating_sub(work_delay.saturating_mul(WORKS))
}

/// Whether `side` was well, from what has ended: `calls`, of which those count that were meant to be sent before
/// `until`. `meant` is how many these must be: one that is still under way is not well. Without any, nothing is steady.
#[must_use]
pub fn steady_before(side: Side, calls: &[Call], meant: usize, until: Duration) -> Check {
    let early = || calls.iter().filter(|call| call.intended < until);
    let left = early().filter(|call| call.end == End::Left).count();
    let whole = early().filter(|call| call.is_whole()).count();
    check(side, "steady before", whole, meant.saturating_sub(left))
}

/// Whether `trial` was well at the end of its load.
pub(super) fn steady_after(trial: &Trial) -> Check {
    let from = trial.lasts.saturating_sub(END);
    let late = || {
        let calls = trial.calls.iter();
        calls.filter(|call| call.intended >= from && call.end != End::Left)
    };
    let whole = late().filter(|call| call.is_whole()).count();
    check(trial.side, "steady after", whole, late().count())
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn check(side: Side, name: &str, whole: usize, all: usize) -> Check {
    let share = whole as f64 / all as f64;
    let least = words::figure(Unit::Share, STEADY_SHARE);
    let expected = format!("at least {least} answered whole");
    let seen = match all {
        0 => "there was no call to judge".to_owned(),
        _ => format!("{whole} of {all}"),
    };
    let holds = all > 0 && share >= STEADY_SHARE;
    Check::plain(Some(side), name, &expected, seen, holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::scene::{Scene, answered, ms, s, whole, without_worker};

    /// A hundred calls before 2 s, of which the first `bad` ended like that.
    fn before(bad: u64, end: &End) -> Vec<Call> {
        let mut scene = Scene::naive();
        for at in 0..100 {
            let end = if at < bad { end.clone() } else { whole() };
            scene = scene.call(ms(20 * at), ms(200), end);
        }
        scene.trial.calls
    }

    fn holds(calls: &[Call], meant: usize) -> bool {
        steady_before(Side::Naive, calls, meant, s(2)).holds
    }

    #[test]
    fn one_of_a_hundred_may_go_wrong_and_no_more() {
        for end in [
            answered(500),
            without_worker(),
            End::GivenUp,
            End::Refused,
            End::NoFile,
        ] {
            assert!(holds(&before(1, &end), 100), "{end:?}");
            assert!(!holds(&before(2, &end), 100), "{end:?}");
        }
    }

    #[test]
    fn who_left_is_not_counted() {
        assert!(holds(&before(60, &End::Left), 100));
        assert!(!holds(&before(100, &End::Left), 100));
    }

    #[test]
    fn calls_that_are_still_under_way_are_not_well() {
        let check = steady_before(Side::Naive, &before(0, &End::Left), 102, s(2));
        assert_eq!((check.holds, check.seen.as_str()), (false, "100 of 102"));
    }

    #[test]
    fn without_calls_nothing_is_steady() {
        let check = steady_before(Side::Naive, &[], 0, s(2));
        assert_eq!(
            (check.holds, check.seen.as_str()),
            (false, "there was no call to judge")
        );
    }

    #[test]
    fn calls_too_late_to_have_ended_before_the_fault_are_not_judged() {
        assert_eq!(judged_until(s(3), ms(200)), ms(2400));
        let late = |at| {
            Scene::naive()
                .call(s(1), ms(200), whole())
                .call(at, s(5), End::GivenUp)
        };
        let judged = |at| {
            let calls = late(at).trial.calls;
            let until = judged_until(s(3), ms(200));
            let meant = calls.iter().filter(|call| call.intended < until).count();
            steady_before(Side::Naive, &calls, meant, until).holds
        };
        assert!(judged(ms(2400)) && !judged(ms(2399)));
    }

    /// Load until 14 s, whole; the calls from `from` to `to` are not.
    fn after(from: Duration, to: Duration) -> bool {
        let mut scene = Scene::resilient();
        for at in (0..14_000).step_by(10).map(ms) {
            let bad = from <= at && at < to;
            let end = if bad { without_worker() } else { whole() };
            scene = scene.call(at, ms(200), end);
        }
        steady_after(&scene.trial).holds
    }

    #[test]
    fn the_last_second_and_a_half_must_be_whole() {
        assert!(after(s(3), ms(12_500)));
        assert!(!after(s(3), ms(12_520)));
        assert!(after(ms(13_990), s(14)));
        assert!(!after(ms(13_980), s(14)));
    }

    #[test]
    fn an_end_without_calls_is_not_steady() {
        assert!(!steady_after(&Scene::resilient().call(s(12), ms(200), whole()).trial).holds);
        let left = Scene::resilient().call(s(13), ms(200), End::Left);
        assert!(!steady_after(&left.trial).holds);
    }
}
