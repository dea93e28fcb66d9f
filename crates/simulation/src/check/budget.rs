//! A worker in trouble is called no more often than the retry budget allows.

use super::Run;
use crate::history::Violation;

/// Of `[worker.retry] budget`: a tenth of the calls, and one each second; ten are saved up at most.
const SHARE: u64 = 10;
const PER_SECOND: u64 = 1;
const SAVED: u64 = 10;

/// Calls of the worker beyond what calls of clients, claims and the budgets of all replicas allow.
#[must_use]
pub fn check(run: &Run<'_>) -> Option<Violation> {
    let lives = run.held.len() as u64 + run.plan.faults.len() as u64;
    let seconds = run.ended_at / 1_000_000 + 1;
    let calls = run.told_calls() + run.claims;
    let allowed = calls + calls / SHARE + lives * (PER_SECOND * seconds + SAVED);
    (run.worker_calls > allowed).then(|| Violation {
        property: "budget",
        at: run.ended_at,
        request: 0,
        what: format!(
            "the worker was called {} times, {allowed} are allowed",
            run.worker_calls
        ),
    })
}

impl Run<'_> {
    /// Calls of clients, told or not.
    fn told_calls(&self) -> u64 {
        let repeats = self
            .plan
            .calls
            .iter()
            .map(|call| 1 + u64::from(call.repeats));
        repeats.sum()
    }
}
