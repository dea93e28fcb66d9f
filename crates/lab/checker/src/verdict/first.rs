//! Where to begin to look: the first call that did not come out as it should have, in words.

use super::words::figure;
use super::{Check, shown};
use crate::measure;
use crate::plan::{Expectation, Unit};
use crate::trial::{Call, Completion, Trial};

/// The first that was neither answered nor promised anything. None: there was none.
pub fn first_bad(trial: &Trial) -> Option<String> {
    let mut calls = trial.calls.iter();
    let call = calls.find(|call| call.is_telling() && !call.is_promised())?;
    Some(told(call))
}

/// The first of those because of which an expectation does not hold. None: all hold, or what does not is of no single call,
/// as attempts per call are.
pub fn first_against(expected: &[Expectation], trial: &Trial) -> Option<String> {
    let checks: Vec<Check> = shown(expected, trial);
    let failed = expected
        .iter()
        .zip(checks)
        .filter(|(_, check)| !check.holds);
    let calls = failed.filter_map(|(expectation, _)| measure::first_against(expectation, trial));
    calls.min_by_key(|call| call.intended).map(told)
}

fn told(call: &Call) -> String {
    let at = figure(Unit::Seconds, call.intended.as_secs_f64());
    let took = figure(Unit::Seconds, call.latency().as_secs_f64());
    let number = call.number;
    format!("call {number} at {at}: {} after {took}", end(call))
}

fn end(call: &Call) -> String {
    match &call.end {
        Completion::Answered(answer) => format!("answered {}", answer.status),
        Completion::GivenUp => "no answer, its client gave up".to_owned(),
        Completion::Refused => "refused".to_owned(),
        Completion::Reset => "cut off".to_owned(),
        Completion::Left => "its client left".to_owned(),
        Completion::NoFile => "not sent".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{TrialFixture, answered, expecting, ms, s, whole, without_worker};
    use crate::plan::Metric;

    #[test]
    fn the_first_call_without_answer_or_promise_is_named_with_its_end_and_time() {
        let scene = TrialFixture::resilient().call(s(1), ms(200), whole());
        assert_eq!(first_bad(&scene.trial), None);
        let scene = scene
            .call(s(3), ms(5), answered(202))
            .call(s(4), s(5), Completion::GivenUp);
        let scene = scene.call(s(5), ms(5), answered(500));
        let told = "call 2 at 4 s: no answer, its client gave up after 5 s";
        assert_eq!(first_bad(&scene.trial).as_deref(), Some(told));
    }

    #[test]
    fn a_promise_that_came_late_is_named_where_lateness_is_what_is_judged() {
        let scene = TrialFixture::resilient()
            .call(s(1), s(9), answered(500))
            .call(s(4), ms(100), without_worker())
            .call(s(5), s(6), without_worker())
            .call(s(6), ms(5), answered(503));
        let first = |expected: &[Expectation]| first_against(expected, &scene.trial);
        let late = "call 2 at 5 s: answered 202 after 6 s";
        let p99 = expecting(Metric::P99, None, Some(1.0));
        assert_eq!(first(&[p99]).as_deref(), Some(late));
        let over = expecting(Metric::OverBound, None, Some(0.0));
        assert_eq!(first(&[over]).as_deref(), Some(late));
        let success = expecting(Metric::SuccessShare, Some(0.9), None);
        let not_whole = "call 1 at 4 s: answered 202 after 0.1 s";
        assert_eq!(first(&[over, success]).as_deref(), Some(not_whole));
        let errors = expecting(Metric::ErrorShare, None, Some(0.1));
        assert_eq!(
            first(&[errors]).as_deref(),
            Some("call 3 at 6 s: answered 503 after 0.005 s")
        );
    }

    #[test]
    fn what_holds_and_what_is_of_no_single_call_names_none() {
        let scene = TrialFixture::resilient().call(s(4), ms(5), answered(503));
        let holds = expecting(Metric::P99, None, Some(1.0));
        let of_all = expecting(Metric::AttemptsPerCall, None, Some(0.0));
        assert_eq!(first_against(&[holds, of_all], &scene.trial), None);
    }
}
