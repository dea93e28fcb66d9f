//! When all is quiet nothing is held: no place of a bulkhead, nobody who waits for one.

use super::Run;
use crate::history::Violation;

/// What somebody still holds at the end.
#[must_use]
pub fn check(run: &Run<'_>) -> Option<Violation> {
    let policies = run
        .held
        .iter()
        .flat_map(|held| [&held.worker, &held.database]);
    let held = policies
        .enumerate()
        .find(|(_, it)| it.in_flight > 0 || it.waiting > 0);
    let (place, snapshot) = held?;
    Some(Violation {
        property: "leaks",
        at: run.ended_at,
        request: 0,
        what: format!(
            "policy {place} still has {} calls in flight",
            snapshot.in_flight
        ),
    })
}
