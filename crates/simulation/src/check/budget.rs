//! Tries beyond the first of a call are paid for by the retry budget.

use std::collections::BTreeMap;

use super::Run;
use crate::history::Violation;

/// Of `[worker.retry] budget`: a tenth of the calls, and one each second; ten are saved up at most.
const SHARE: u64 = 10;
const PER_SECOND: u64 = 1;
const SAVED: u64 = 10;

/// What one replica did.
#[derive(Default)]
struct Tally {
    /// Calls whose first try is still to come, by request.
    due: BTreeMap<u64, u64>,
    calls: u64,
    retries: u64,
}

/// The replica that tried again more often than its budget allows.
#[must_use]
pub fn check(run: &Run<'_>) -> Option<Violation> {
    let mut tallies: BTreeMap<u8, Tally> = BTreeMap::new();
    run.trace.each(|event| {
        let tally = tallies.entry(event.replica).or_default();
        match event.what {
            "called" | "claim" => {
                tally.calls += 1;
                *tally.due.entry(event.request).or_default() += 1;
            }
            "work" => match tally.due.get_mut(&event.request) {
                Some(due) if *due > 0 => *due -= 1,
                _ => tally.retries += 1,
            },
            _ => {}
        }
    });
    let seconds = run.ended_at / 1_000_000 + 1;
    // Each crash begins with a full budget.
    let lives = 1 + run.plan.faults.len() as u64;
    let overdrawn = |(_, tally): &(&u8, &Tally)| {
        tally.retries > tally.calls / SHARE + PER_SECOND * seconds + SAVED * lives
    };
    let (replica, tally) = tallies.iter().find(overdrawn)?;
    Some(Violation {
        property: "budget",
        at: run.ended_at,
        request: 0,
        what: format!(
            "replica {replica} tried {} times again in {} calls",
            tally.retries, tally.calls
        ),
    })
}
