//! Every call is answered within the worst case.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Run;
use crate::fault::Kind;
use crate::history::{Told, Violation};
use crate::plan::Fault;

/// Timers are rounded up to whole milliseconds, one after the other.
const SLACK: Duration = Duration::from_millis(300);

/// The first call that took longer, or never ended, but for those of a replica that was frozen meanwhile.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let limit = u64::try_from((run.worst_case + SLACK).as_micros()).unwrap_or(u64::MAX);
    late(run, limit).or_else(|| unanswered(run, limit))
}

fn late(run: &Run<'_>, limit: u64) -> Option<Violation> {
    let late = |told: &&Told| {
        let was_frozen = || was_frozen(run, told.replica.0, (told.asked_at, told.told_at));
        told.told_at - told.asked_at > limit && !was_frozen()
    };
    let told = run.told.iter().find(late)?;
    let took = Duration::from_micros(told.told_at - told.asked_at);
    let worst = run.worst_case;
    let what = format!("answered after {took:?}, the worst case is {worst:?}");
    Some(Violation::told("bound", told, told.request, what))
}

/// Its client did not leave, its replica did not die, and it was told nothing; nor was it where the code under test panicked.
fn unanswered(run: &Run<'_>, limit: u64) -> Option<Violation> {
    let mut waiting = BTreeMap::new();
    run.trace.each(|event| match event.what {
        "called" => {
            waiting.insert(event.request, *event);
        }
        "told" | "left" => {
            waiting.remove(&event.request);
        }
        _ => {}
    });
    let mut overdue = waiting.values().filter(|called| {
        let was_frozen = || was_frozen(run, called.replica, (called.at, run.ended_at));
        called.at + limit < run.ended_at && !was_frozen()
    });
    let called = overdue.next()?;
    Some(Violation {
        property: "bound",
        at: called.at + limit,
        request: called.request,
        what: "never answered".to_owned(),
    })
}

fn was_frozen(run: &Run<'_>, replica: u8, (from, to): (u64, u64)) -> bool {
    let meanwhile =
        |fault: &Fault| fault.at * 1000 <= to && (fault.at + fault.lasts) * 1000 >= from;
    let freezes = |fault: &&Fault| fault.kind == Kind::Freeze(replica);
    run.plan.faults.iter().filter(freezes).any(meanwhile)
}
