//! Whether all was well before anything was broken, and again at the end.

use std::time::Duration;

use super::{Check, words};
use crate::plan::{Experiment, Side, Unit};
use crate::trial::{Call, Completion, Trial};

/// Of the calls that must be answered whole for a state to be called steady.
const STEADY_SHARE: f64 = 0.99;
/// How much of the end of the load must be steady.
const END: Duration = Duration::from_millis(1500);
/// Times the work of one call: who was meant to be sent that long before a fault has its answer by then.
const WORKS: u32 = 3;

/// How many calls there were, and how many of them were answered whole.
struct Counted {
    whole: usize,
    all: usize,
}

/// Calls meant to be sent before this time must be whole: those that had their time before the first fault.
pub(crate) fn judged_until(first_fault: Duration, work_delay: Duration) -> Duration {
    first_fault.saturating_sub(work_delay.saturating_mul(WORKS))
}

/// Whether a side was well before the first fault, judged by the calls that have ended. One that was to arrive, had its
/// time and is not among them is still under way, which is not well.
///
/// # Errors
/// What was seen instead, such as `93 of 96`.
pub fn steady_before(plan: &Experiment, calls: &[Call]) -> Result<(), String> {
    let counted = before(plan, calls);
    match counted.is_steady() {
        true => Ok(()),
        false => Err(counted.seen()),
    }
}

/// The same of a whole trial.
pub(super) fn before_the_fault(plan: &Experiment, trial: &Trial) -> Check {
    before(plan, &trial.calls).check(trial.side, "steady before")
}

/// Whether `trial` was well at the end of its load.
pub(super) fn steady_after(trial: &Trial) -> Check {
    let from = trial.lasts.saturating_sub(END);
    let late = || {
        let calls = trial.calls.iter();
        calls.filter(|call| call.intended >= from && call.end != Completion::Left)
    };
    let counted = Counted {
        whole: late().filter(|call| call.is_whole()).count(),
        all: late().count(),
    };
    counted.check(trial.side, "steady after")
}

fn before(plan: &Experiment, calls: &[Call]) -> Counted {
    let load = &plan.load;
    let first = plan.faults.iter().map(|fault| fault.at).min();
    let until = judged_until(first.unwrap_or(load.lasts), plan.system.work_delay);
    let arrivals = load.arrivals.times(load.rate, load.lasts, load.seed);
    let meant = arrivals.take_while(|at| *at < until).count();
    let early = || calls.iter().filter(|call| call.intended < until);
    let left = early().filter(|call| call.end == Completion::Left).count();
    Counted {
        whole: early().filter(|call| call.is_whole()).count(),
        all: meant.saturating_sub(left),
    }
}

impl Counted {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn is_steady(&self) -> bool {
        self.all > 0 && self.whole as f64 / self.all as f64 >= STEADY_SHARE
    }

    fn seen(&self) -> String {
        match self.all {
            0 => "there was no call to judge".to_owned(),
            all => format!("{} of {all} calls were answered whole", self.whole),
        }
    }

    fn check(&self, side: Side, name: &str) -> Check {
        let least = words::figure(Unit::Share, STEADY_SHARE);
        let expected = format!("at least {least} answered whole");
        Check {
            unknown: self.all == 0,
            ..Check::plain(Some(side), name, &expected, self.seen(), self.is_steady())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, answered, ms, plan, s, whole, without_worker};

    /// Fifty calls a second; the fault begins at 2.6 s, so that a hundred are judged.
    fn steady(calls: &[Call]) -> Result<(), String> {
        let mut plan = plan();
        plan.load.rate = 50.0;
        plan.faults[0].at = ms(2600);
        steady_before(&plan, calls)
    }

    /// The calls before 2 s, of which the first `bad` ended like that.
    fn calls(bad: u64, end: &Completion) -> Vec<Call> {
        let mut scene = TrialFixture::naive();
        for at in 0..100 {
            let end = if at < bad { end.clone() } else { whole() };
            scene = scene.call(ms(20 * at), ms(200), end);
        }
        scene.trial.calls
    }

    #[test]
    fn one_of_a_hundred_may_go_wrong_and_no_more() {
        for end in [
            answered(500),
            without_worker(),
            Completion::GivenUp,
            Completion::Refused,
            Completion::NoFile,
        ] {
            assert_eq!(steady(&calls(1, &end)), Ok(()), "{end:?}");
            let seen = "98 of 100 calls were answered whole".to_owned();
            assert_eq!(steady(&calls(2, &end)), Err(seen), "{end:?}");
        }
    }

    #[test]
    fn who_left_is_not_counted_and_who_alone_was_there_proves_nothing() {
        assert!(steady(&calls(60, &Completion::Left)).is_ok());
        let seen = "there was no call to judge".to_owned();
        assert_eq!(steady(&calls(100, &Completion::Left)), Err(seen));
    }

    #[test]
    fn calls_that_are_still_under_way_are_not_well() {
        let mut ended = calls(0, &Completion::Left);
        ended.truncate(98);
        assert!(steady(&ended).is_err());
        assert!(steady(&[]).is_err());
    }

    #[test]
    fn calls_too_late_to_have_ended_before_the_fault_are_not_judged() {
        assert_eq!(judged_until(s(3), ms(200)), ms(2400));
        let mut late = calls(0, &Completion::Left);
        let at_two = |end| TrialFixture::naive().call(s(2), s(5), end).trial.calls;
        late.extend([Completion::GivenUp, Completion::Left].map(at_two).concat());
        assert_eq!(steady(&late), Ok(()));
        // A whole one that came later stands for none that should have been.
        let mut other = calls(2, &answered(500));
        other.extend(at_two(whole()));
        assert!(steady(&other).is_err());
    }

    /// Load until 14 s, whole; the calls from `from` to `to` are not.
    fn after(from: Duration, to: Duration) -> bool {
        let mut scene = TrialFixture::resilient();
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
        let early = TrialFixture::resilient().call(s(12), ms(200), whole());
        assert!(!steady_after(&early.trial).holds);
        let left = TrialFixture::resilient().call(s(13), ms(200), Completion::Left);
        let nobody = steady_after(&left.trial);
        assert!(!nobody.holds && nobody.unknown);
    }
}
