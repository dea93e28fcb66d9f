//! Whether the trials can prove anything.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Check, words};
use crate::plan::{Experiment, Fault, Kind, Side, Unit};
use crate::schedule;
use crate::trial::{Call, Completion, FaultWindow, Observation, Stranger, Trial};

/// Beyond this the load did not come when it was meant to, and latencies say more of the generator than of the system.
const LATE_MS: f64 = 100.0;

pub(super) fn something_was_broken(plan: &Experiment) -> Check {
    let seen = match plan.faults.len() {
        0 => "vacuous: nothing was broken".to_owned(),
        1 => "1 fault".to_owned(),
        several => format!("{several} faults"),
    };
    let (name, expected) = ("something was broken", "at least one fault");
    Check::plain(None, name, expected, seen, !plan.faults.is_empty())
}

/// Each fault was in force, and is over.
pub(super) fn faults(plan: &Experiment, trial: &Trial) -> Vec<Check> {
    let check = |(at, fault): (usize, &Fault)| {
        let observed = trial.faults.get(at);
        let observed = observed.filter(|it| it.target == fault.target);
        let live = observed.map(|it| live(plan, fault, it, trial));
        let healed = observed.map(|it| it.healed.clone());
        [("was live", "in force", live), ("healed", "over", healed)].map(
            |(what, expected, seen)| {
                let name = format!("{fault} at {} {what}", time(fault.at));
                let expected = format!("{expected}, as a probe of its own saw it");
                let unknown = seen.is_none();
                let (seen, holds) = seen.map_or(("nobody looked".to_owned(), false), |it| {
                    (it.seen, it.holds)
                });
                Check {
                    unknown,
                    ..Check::plain(Some(trial.side), &name, &expected, seen, holds)
                }
            },
        )
    };
    plan.faults.iter().enumerate().flat_map(check).collect()
}

fn live(plan: &Experiment, fault: &Fault, observed: &FaultWindow, trial: &Trial) -> Observation {
    let (from, to) = (time(observed.from), time(observed.to));
    let seen = format!("{}, from {from} to {to}", observed.live.seen);
    let holds = observed.live.holds && observed.from < observed.to;
    match of_surge(plan, fault, trial) {
        None => Observation { holds, seen },
        Some((sent, enough)) => Observation {
            holds: holds && enough,
            seen: format!("{sent} of its calls were sent; {seen}"),
        },
    }
}

/// How many calls a surge came to, and whether that is all of them; none: it is no surge.
fn of_surge(plan: &Experiment, fault: &Fault, trial: &Trial) -> Option<(usize, bool)> {
    if !matches!(fault.kind, Kind::Surge { .. }) {
        return None;
    }
    let within = |at: Duration| at.checked_sub(fault.at).is_some_and(|it| it < fault.lasts);
    let meant = schedule::with_surges(&plan.load, &plan.faults);
    let meant = meant.filter(|one| one.surge && within(one.at));
    let own = |call: &&Call| call.surge && call.end != Completion::NoFile && within(call.intended);
    let sent = trial.calls.iter().filter(own).count();
    let meant = meant.count();
    Some((sent, meant > 0 && sent >= meant))
}

/// The load came when it was meant to, all of it.
pub(super) fn punctual(trial: &Trial) -> Check {
    let unsent = |call: &&Call| call.end == Completion::NoFile;
    let unsent = trial.calls.iter().filter(unsent).count();
    let late = trial.generator.late_p99_ms;
    let expected = format!("99 of 100 calls less than {LATE_MS} ms late, none unsent");
    let seen = format!("{late:.1} ms late, {unsent} unsent");
    let (side, holds) = (Some(trial.side), late < LATE_MS && unsent == 0);
    Check::plain(side, "the load was punctual", &expected, seen, holds)
}

/// Each answer is one that the contract knows, with all its parts.
pub(super) fn contract(trial: &Trial) -> Option<Check> {
    let breaches = trial.breaches.as_deref()?;
    let seen = match breaches {
        [] => "none is amiss".to_owned(),
        [first, ..] => {
            let count = breaches.len();
            format!("{count} are amiss; call {}: {}", first.number, first.what)
        }
    };
    Some(Check::plain(
        Some(trial.side),
        "every answer keeps the contract",
        "a status it knows, with all that belongs to it",
        seen,
        breaches.is_empty(),
    ))
}

pub(super) fn same_arrivals(naive: &Trial, resilient: &Trial) -> Check {
    let intended =
        |trial: &Trial| -> Vec<Duration> { trial.calls.iter().map(|call| call.intended).collect() };
    let (of_naive, of_resilient) = (intended(naive), intended(resilient));
    let apart = of_naive.iter().zip(&of_resilient).position(|(a, b)| a != b);
    let seen = match (apart, of_naive.len(), of_resilient.len()) {
        (Some(at), ..) => {
            let (naive, resilient) = (time(of_naive[at]), time(of_resilient[at]));
            format!("call {at} at {naive} and at {resilient}")
        }
        (None, one, other) if one != other => format!("{one} and {other} calls"),
        (None, calls, _) => format!("{calls} calls each"),
    };
    let holds = of_naive == of_resilient && !of_naive.is_empty();
    let name = "both sides met the same arrivals";
    Check::plain(None, name, "the same calls at the same times", seen, holds)
}

/// Whoever starts a service must be able to end it, and all that it started.
pub(super) fn ended(contender: &Stranger) -> Check {
    let Observation { holds, seen } = contender.ending.clone();
    let (side, expected) = (
        Some(Side::Contender),
        "after SIGTERM, with all its processes",
    );
    Check::plain(side, "ended when asked", expected, seen, holds)
}

fn time(duration: Duration) -> String {
    words::figure(Unit::Seconds, duration.as_secs_f64())
}
