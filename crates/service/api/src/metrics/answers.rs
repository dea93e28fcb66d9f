//! What `/process` answered: done, accepted or no promise, and without what. A client's own mistakes (4xx) are none of
//! these, so that they dilute no share; the HTTP series have them.

use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_policy::Priority;
use holdfast_wire::{Degraded, DegradedCode, Reason};
use metrics::{Counter, counter, describe_counter};

use super::at_zero;
use crate::process::{Outcome, Overload};

/// The rows: 200, 202 and 503 of the contract.
const STATUSES: [&str; 3] = ["200", "202", "503"];
/// The columns: what was missing.
const MISSING: [&str; 5] = [
    "none",
    "worker_unavailable",
    "db_unavailable",
    "both",
    "overloaded",
];

/// From the most urgent.
const URGENCIES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];

/// The counters of what `/process` answered.
pub(crate) struct Answers {
    answers: [[Counter; MISSING.len()]; STATUSES.len()],
    overloaded: [Counter; OVERLOADS.len()],
    /// By urgency.
    shed: [Shown; URGENCIES.len()],
    throttled: Shown,
}

/// A counter that the page shows as well: the recorder's cannot be read.
struct Shown {
    count: AtomicU64,
    counter: Counter,
}

impl Shown {
    fn at_zero(counter: Counter) -> Self {
        Self {
            count: AtomicU64::new(0),
            counter: at_zero(counter),
        }
    }

    fn increment(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.counter.increment(1);
    }

    fn get(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// All causes, in declaration order.
const OVERLOADS: [Overload; 4] = [
    Overload::InFlight,
    Overload::Bodies,
    Overload::OpenWork,
    Overload::Shed,
];

/// As a metric's label.
const fn cause(why: Overload) -> &'static str {
    match why {
        Overload::InFlight => "in_flight",
        Overload::Bodies => "bodies",
        Overload::OpenWork => "open_work",
        Overload::Shed => "shed",
    }
}

impl Answers {
    /// Every series, at zero.
    pub(super) fn new() -> Self {
        describe_counter!(
            "holdfast_process_answers_total",
            "Answers of /process by status, and by what they had to do without"
        );
        describe_counter!(
            "holdfast_process_overloaded_total",
            "Calls of /process refused at the door, by what there was too much of"
        );
        describe_counter!(
            "holdfast_process_shed_total",
            "Calls of /process refused because the worker has as much to do as it can, by urgency"
        );
        describe_counter!(
            "holdfast_process_throttled_total",
            "Calls of /process above their client's own limit"
        );
        let shed = |urgency: &'static str| {
            Shown::at_zero(counter!("holdfast_process_shed_total", "priority" => urgency))
        };
        let answer = |status: &'static str, degraded: &'static str| {
            let labels = [("status", status), ("degraded", degraded)];
            at_zero(counter!("holdfast_process_answers_total", &labels))
        };
        let overloaded = |why: Overload| {
            at_zero(counter!("holdfast_process_overloaded_total", "cause" => cause(why)))
        };
        Self {
            answers: STATUSES.map(|status| MISSING.map(|degraded| answer(status, degraded))),
            overloaded: OVERLOADS.map(overloaded),
            shed: URGENCIES.map(shed),
            throttled: Shown::at_zero(counter!("holdfast_process_throttled_total")),
        }
    }

    /// Counts how a request of this urgency ended.
    pub(crate) fn count(&self, outcome: &Outcome, priority: Priority) {
        let [done, deferred, refused] = &self.answers;
        let (row, degraded) = match outcome {
            Outcome::Done { degraded, .. } => (done, degraded),
            Outcome::Deferred { degraded, .. } => (deferred, degraded),
            Outcome::Refused(refusal) if refusal.code == DegradedCode::Overloaded => {
                if is_shed(&refusal.degraded) {
                    self.shed(priority);
                } else {
                    self.refused_at_the_door(refusal.overload.unwrap_or(Overload::OpenWork));
                }
                return;
            }
            Outcome::Refused(refusal) => (refused, &refusal.degraded),
            Outcome::Failed { .. } | Outcome::KeyReused { .. } => return,
        };
        row[missing(degraded)].increment(1);
    }

    /// Counts a call of a client that has had its share.
    pub(crate) fn throttled(&self) {
        self.throttled.increment();
    }

    /// Those refused because the worker has as much to do as it can, by urgency, and those of clients that have had their
    /// share.
    pub(crate) fn refused(&self) -> ([u64; URGENCIES.len()], u64) {
        (self.shed.each_ref().map(Shown::get), self.throttled.get())
    }

    fn shed(&self, priority: Priority) {
        if let Some(shed) = self.shed.get(usize::from(priority.urgency())) {
            shed.increment();
        }
        self.refused_at_the_door(Overload::Shed);
    }

    /// Counts a call of which nothing was recorded for want of room.
    pub(crate) fn refused_at_the_door(&self, why: Overload) {
        self.overloaded[why as usize].increment(1);
        let [_, _, [.., overloaded]] = &self.answers;
        overloaded.increment(1);
    }
}

fn is_shed(degraded: &[Degraded]) -> bool {
    degraded.iter().any(|entry| entry.reason == Reason::Shed)
}

/// The column of an answer.
fn missing(degraded: &[Degraded]) -> usize {
    let has = |code| degraded.iter().any(|entry| entry.code == code);
    let worker = has(DegradedCode::WorkerUnavailable);
    let database = has(DegradedCode::DbUnavailable);
    match (worker, database, has(DegradedCode::Overloaded)) {
        (_, _, true) => 4,
        (true, true, _) => 3,
        (_, true, _) => 2,
        (true, ..) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use holdfast_wire::Reason;

    use super::*;

    fn entry(code: DegradedCode) -> Degraded {
        Degraded {
            code,
            reason: Reason::CircuitOpen,
            detail: String::new(),
            attempts: 0,
            elapsed_seconds: 0.0,
            retry_after_seconds: 1.0,
        }
    }

    #[test]
    fn an_answer_is_counted_under_all_that_was_missing() {
        use DegradedCode as Code;
        for (codes, column) in [
            (&[][..], "none"),
            (&[Code::WorkerUnavailable], "worker_unavailable"),
            (&[Code::DbUnavailable], "db_unavailable"),
            (&[Code::WorkerUnavailable, Code::DbUnavailable], "both"),
            (&[Code::Overloaded], "overloaded"),
        ] {
            let degraded: Vec<_> = codes.iter().copied().map(entry).collect();
            assert_eq!(MISSING[missing(&degraded)], column);
        }
    }
}
