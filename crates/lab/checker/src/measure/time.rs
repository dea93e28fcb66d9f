//! How long it took until a breaker opened, and until all was well again, and whether it stayed so.

use super::calls::count;
use super::window::last_end;
use super::{FOR_GOOD, PROBE_LAG, Unmeasured};
use crate::plan::Target;
use crate::trial::{Call, FaultWindow, Transition, Trial};

pub(super) fn to_open(trial: &Trial) -> Result<f64, Unmeasured> {
    let first = first(trial)?;
    let opened = of_breaker(trial, first)
        .filter(|it| it.to == "open")
        .map(|it| it.at)
        .filter(|at| at.saturating_add(PROBE_LAG) >= first.from)
        .min();
    let opened = opened.ok_or(Unmeasured::NeverOpened)?;
    Ok(opened.saturating_sub(first.from).as_secs_f64())
}

pub(super) fn relapses(trial: &Trial) -> Result<f64, Unmeasured> {
    let first = first(trial)?;
    let healed = last_end(trial)?;
    let mut later: Vec<_> = of_breaker(trial, first)
        .filter(|it| it.at >= healed)
        .collect();
    later.sort_by_key(|it| it.at);
    let closed = later.iter().skip_while(|it| it.to != "closed");
    let again = closed.filter(|it| it.to == "open");
    Ok(count(again.count() as u64))
}

/// The fault that began first, of something that stands behind a breaker.
fn first(trial: &Trial) -> Result<&FaultWindow, Unmeasured> {
    let first = trial.faults.iter().min_by_key(|fault| fault.from);
    let first = first.ok_or(Unmeasured::NoFault)?;
    match first.target {
        // A node takes all it has with it.
        Target::Api | Target::Node | Target::Replica(_) => Err(Unmeasured::NoBreaker),
        _ => Ok(first),
    }
}

/// What became of the breaker before what `fault` hurt.
fn of_breaker<'a>(trial: &'a Trial, fault: &FaultWindow) -> impl Iterator<Item = &'a Transition> {
    let dependency = match fault.target {
        Target::Standby => Target::Database,
        target => target,
    };
    let dependency = dependency.to_string();
    let all = trial.transitions.iter();
    all.filter(move |it| it.dependency == dependency)
}

pub(super) fn to_recover(trial: &Trial) -> Result<f64, Unmeasured> {
    let healed = last_end(trial)?;
    let mut after: Vec<&Call> = trial
        .calls
        .iter()
        .filter(|call| call.is_telling() && call.intended > healed)
        .collect();
    after.sort_by_key(|call| call.intended);
    if after.is_empty() {
        return Err(Unmeasured::NoCalls);
    }
    let whole = after.iter().rev().take_while(|call| call.is_whole());
    let first = whole.last().ok_or(Unmeasured::NeverRecovered)?.intended;
    match trial.lasts.saturating_sub(first) >= FOR_GOOD {
        true => Ok((first - healed).as_secs_f64()),
        false => Err(Unmeasured::NeverRecovered),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fixtures::{TrialFixture, ms, s, whole, without_worker};
    use crate::trial::Completion;

    #[test]
    fn a_breaker_opens_so_long_after_the_first_fault_began() {
        let scene = TrialFixture::resilient().opens("worker", ms(3400));
        assert_eq!(to_open(&scene.trial), Ok(0.4));
    }

    #[test]
    fn the_first_time_counts_and_not_what_was_before_the_fault_or_of_another_dependency() {
        let scene = TrialFixture::resilient()
            .opens("worker", ms(2400))
            .opens("database", ms(3100))
            .opens("worker", ms(3800))
            .opens("worker", ms(3500));
        assert_eq!(to_open(&scene.trial), Ok(0.5));
    }

    #[test]
    fn the_first_fault_is_the_one_that_began_first() {
        let scene = TrialFixture::resilient()
            .fault(Target::Database, s(2), s(4))
            .opens("database", ms(2250))
            .opens("worker", s(4));
        assert_eq!(to_open(&scene.trial), Ok(0.25));
    }

    #[test]
    fn where_an_api_or_a_node_was_hurt_no_breaker_stands_before_it() {
        for target in [Target::Api, Target::Node, Target::Replica(1)] {
            let mut scene = TrialFixture::resilient().opens("worker", ms(3400));
            scene.trial.faults[0].target = target;
            assert_eq!(to_open(&scene.trial), Err(Unmeasured::NoBreaker));
            assert_eq!(relapses(&scene.trial), Err(Unmeasured::NoBreaker));
            scene.trial.faults.clear();
            assert_eq!(to_open(&scene.trial), Err(Unmeasured::NoFault));
        }
    }

    #[test]
    fn lost_standbys_open_the_breaker_of_the_database() {
        let mut scene = TrialFixture::resilient().opens("database", ms(3400));
        scene.trial.faults[0].target = Target::Standby;
        assert_eq!(to_open(&scene.trial), Ok(0.4));
    }

    #[test]
    fn a_breaker_that_was_quicker_than_the_probe_opened_at_once() {
        let opens = |at| to_open(&TrialFixture::resilient().opens("worker", at).trial);
        assert_eq!(opens(ms(2500)), Ok(0.0));
        assert_eq!(opens(ms(2499)), Err(Unmeasured::NeverOpened));
    }

    #[test]
    fn a_change_to_another_state_is_no_opening() {
        let mut scene = TrialFixture::resilient().opens("worker", s(4));
        scene.trial.transitions[0].to = "half_open".to_owned();
        assert_eq!(to_open(&scene.trial), Err(Unmeasured::NeverOpened));
    }

    #[test]
    fn a_breaker_relapses_if_it_opens_after_it_had_closed_behind_the_faults_end() {
        let changes = |changes: &[(Duration, &str)]| {
            let mut scene = TrialFixture::resilient();
            for (at, to) in changes {
                scene = scene.opens("worker", *at);
                scene.trial.transitions.last_mut().unwrap().to = (*to).to_owned();
            }
            relapses(&scene.trial)
        };
        let during = [(s(4), "open"), (s(5), "closed"), (s(6), "open")];
        assert_eq!(changes(&during), Ok(0.0));
        let probed_at_the_end = [(ms(8010), "open"), (s(9), "closed")];
        assert_eq!(changes(&probed_at_the_end), Ok(0.0));
        let twice = [
            (s(9), "closed"),
            (s(10), "open"),
            (s(11), "half_open"),
            (s(12), "open"),
        ];
        assert_eq!(changes(&twice), Ok(2.0));
        let of_another = TrialFixture::resilient().opens("database", s(10));
        assert_eq!(relapses(&of_another.trial), Ok(0.0));
    }

    /// Calls after the fault's end at 8 s, once every second: whether each was whole.
    fn recovery(whole_ones: [bool; 6]) -> Result<f64, Unmeasured> {
        let mut scene = TrialFixture::resilient().call(s(4), ms(700), without_worker());
        for (at, is_whole) in whole_ones.into_iter().enumerate() {
            let end = if is_whole { whole() } else { without_worker() };
            scene = scene.call(ms(8500 + 1000 * at as u64), ms(200), end);
        }
        to_recover(&scene.trial)
    }

    #[test]
    fn recovery_ends_with_the_first_call_from_which_on_all_are_whole() {
        assert_eq!(recovery([false, false, true, true, true, true]), Ok(2.5));
        assert_eq!(recovery([true; 6]), Ok(0.5));
    }

    #[test]
    fn a_relapse_starts_it_anew() {
        assert_eq!(recovery([false, true, true, false, true, true]), Ok(4.5));
    }

    #[test]
    fn a_second_of_load_must_follow_or_it_is_no_recovery() {
        let short = recovery([false, false, false, false, false, true]);
        assert_eq!(short, Err(Unmeasured::NeverRecovered));
        assert_eq!(recovery([false; 6]), Err(Unmeasured::NeverRecovered));
    }

    #[test]
    fn it_counts_from_the_last_faults_end_and_needs_calls_after_it() {
        let scene = |at| {
            let scene = TrialFixture::resilient().fault(Target::Worker, s(9), s(10));
            scene.call(at, ms(200), whole())
        };
        assert_eq!(to_recover(&scene(s(11)).trial), Ok(1.0));
        assert_eq!(to_recover(&scene(s(10)).trial), Err(Unmeasured::NoCalls));
    }

    #[test]
    fn who_left_does_not_delay_it_and_order_of_arrival_does_not_matter() {
        let scene = TrialFixture::resilient()
            .call(s(12), ms(200), whole())
            .call(s(11), ms(50), Completion::Left)
            .call(s(10), ms(200), whole())
            .call(s(9), ms(200), without_worker());
        assert_eq!(to_recover(&scene.trial), Ok(2.0));
    }
}
