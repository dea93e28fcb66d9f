//! Tries beyond the first of a call are paid for by the retry budget, at every moment: one bucket for live calls and recovery.

use std::collections::BTreeMap;

use super::Run;
use crate::fault::Kind;
use crate::history::Violation;
use crate::plan::Fault;

/// Of `[worker.retry] budget`: a tenth of the calls, and one each second; ten are saved up at most. In millionths of a retry, so
/// that a microsecond brings one.
const RETRY: i64 = 1_000_000;
const PER_CALL: i64 = RETRY / 10;
const SAVED: i64 = RETRY * 10;
/// A call pays in when it reaches the policy, a little after it was made; by then the bucket may have more room.
const SLACK: i64 = RETRY * 3;

/// What one replica did.
struct Bucket {
    /// Calls whose first try is still to come, by request.
    due: BTreeMap<u64, u64>,
    level: i64,
    at: u64,
}

impl Bucket {
    fn pay_in(&mut self, amount: i64) {
        self.level = self.level.saturating_add(amount).min(SAVED);
    }
}

/// The first try of a replica that its budget did not have.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let mut buckets: BTreeMap<u8, Bucket> = BTreeMap::new();
    let mut overdrawn = None;
    run.trace.each(|event| {
        let bucket = buckets.entry(event.replica).or_insert_with(|| Bucket {
            due: BTreeMap::new(),
            level: SAVED,
            at: 0,
        });
        if starts_between(run, event.replica, bucket.at, event.at) {
            // What is new begins with all of it.
            bucket.level = SAVED;
        }
        bucket.pay_in(i64::try_from(event.at - bucket.at).unwrap_or(SAVED));
        bucket.at = event.at;
        match event.what {
            "called" | "claim" => {
                bucket.pay_in(PER_CALL);
                *bucket.due.entry(event.request).or_default() += 1;
            }
            "work" => match bucket.due.get_mut(&event.request) {
                Some(due) if *due > 0 => *due -= 1,
                _ => bucket.level -= RETRY,
            },
            _ => {}
        }
        if bucket.level < -SLACK && overdrawn.is_none() {
            overdrawn = Some(*event);
        }
    });
    let event = overdrawn?;
    Some(Violation {
        property: "budget",
        at: event.at,
        request: event.request,
        what: format!(
            "replica {} tried again more often than its calls had paid for",
            event.replica
        ),
    })
}

fn starts_between(run: &Run<'_>, replica: u8, from: u64, to: u64) -> bool {
    let starts = |fault: &Fault| (from..=to).contains(&((fault.at + fault.lasts) * 1000));
    let crashes = |fault: &&Fault| fault.kind == Kind::Crash(replica);
    run.plan.faults.iter().filter(crashes).any(starts)
}
