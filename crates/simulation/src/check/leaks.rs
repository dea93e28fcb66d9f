//! When all is quiet nothing is held: no place of a bulkhead, nobody who waits for one.

use super::Run;
use crate::history::Violation;

/// What somebody still holds at the end.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let policies = run
        .held
        .iter()
        .flat_map(|held| [&held.worker, &held.database]);
    let held = policies
        .enumerate()
        .find(|(_, it)| it.in_flight > 0 || it.waiting > 0);
    let (place, snapshot) = held?;
    let in_flight = snapshot.in_flight;
    let what = format!("policy {place} still has {in_flight} calls in flight");
    Some(run.ended("leaks", 0, what))
}
