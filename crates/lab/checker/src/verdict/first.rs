//! The first call that was neither answered nor promised anything, in words: where to begin to look.

use super::words::figure;
use crate::plan::Unit;
use crate::trial::{Call, Completion, Trial};

/// None: there was none.
#[must_use]
pub fn first_bad(trial: &Trial) -> Option<String> {
    let mut calls = trial.calls.iter();
    let call = calls.find(|call| call.is_telling() && !call.is_promised())?;
    let at = figure(Unit::Seconds, call.intended.as_secs_f64());
    let took = figure(Unit::Seconds, call.latency().as_secs_f64());
    let number = call.number;
    Some(format!("call {number} at {at}: {} after {took}", end(call)))
}

fn end(call: &Call) -> String {
    match &call.end {
        Completion::Answered { status, .. } => format!("answered {status}"),
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
    use crate::fixtures::{TrialFixture, answered, ms, s, whole};

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
}
