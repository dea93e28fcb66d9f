//! Every call is answered within the worst case.

use std::time::Duration;

use super::Run;
use crate::fault::Kind;
use crate::history::{Told, Violation};
use crate::plan::Fault;
use crate::world::number;

/// Timers are rounded up to whole milliseconds, one after the other.
const SLACK: Duration = Duration::from_millis(300);

/// The first call that took longer, but for those of a replica that was frozen meanwhile.
#[must_use]
pub fn check(run: &Run<'_>) -> Option<Violation> {
    let limit = u64::try_from((run.worst_case + SLACK).as_micros()).unwrap_or(u64::MAX);
    let late = |told: &&Told| told.told_at - told.asked_at > limit && !was_frozen(run, told);
    let told = run.told.iter().find(late)?;
    let took = Duration::from_micros(told.told_at - told.asked_at);
    Some(Violation {
        property: "bound",
        at: told.told_at,
        request: number(told.request),
        what: format!(
            "answered after {took:?}, the worst case is {:?}",
            run.worst_case
        ),
    })
}

fn was_frozen(run: &Run<'_>, told: &Told) -> bool {
    let meanwhile = |fault: &Fault| {
        fault.at * 1000 <= told.told_at && (fault.at + fault.lasts) * 1000 >= told.asked_at
    };
    let freezes = |fault: &&Fault| fault.kind == Kind::Freeze(told.replica.0);
    run.plan.faults.iter().filter(freezes).any(meanwhile)
}
