//! Promises against rows: what became of each, and how many came to what. Pure.

mod counts;

use std::collections::{BTreeMap, BTreeSet};

pub use counts::{of_calls, of_stranger};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub id: Uuid,
    /// The `Idempotency-Key` it was sent under.
    pub key: String,
    pub status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: Uuid,
    /// The key that its client's request carried in its body; its id, if that had none.
    pub key: String,
    /// `received`, `done`, `failed` or `cancelled`.
    pub status: String,
    /// Why it failed; empty if it did not.
    pub error: String,
    /// The worker's answer, as JSON without idle space; none: none is recorded.
    pub result: Option<String>,
}

/// Every promise in one of these, and some in `duplicate` as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DurabilityReport {
    /// Promises, each id once.
    pub accepted: usize,
    /// Finished with their result.
    pub done: Vec<Uuid>,
    pub open: Vec<Uuid>,
    /// Finished with an error, or without a result, and why.
    pub failed: Vec<(Uuid, String)>,
    /// Ids with several rows, and keys that stand for several of the ids.
    pub duplicate: Vec<String>,
    pub missing: Vec<Uuid>,
}

impl DurabilityReport {
    /// Holds each promise against the rows.
    pub fn of(accepted: &[Accepted], rows: Vec<Row>) -> Self {
        let mut rows_of: BTreeMap<Uuid, Vec<Row>> = BTreeMap::new();
        for row in rows {
            rows_of.entry(row.id).or_default().push(row);
        }
        let ids: BTreeSet<Uuid> = accepted.iter().map(|one| one.id).collect();
        let mut report = Self {
            accepted: ids.len(),
            duplicate: ambiguous(accepted),
            ..Self::default()
        };
        for id in ids {
            match rows_of.get(&id).map(Vec::as_slice) {
                None | Some([]) => report.missing.push(id),
                Some([row]) => report.enter(row),
                Some([row, others @ ..]) => {
                    report.enter(row);
                    let count = others.len() + 1;
                    report.duplicate.push(format!("{id}: {count} rows"));
                }
            }
        }
        report
    }

    /// Whether waiting can change nothing for the better.
    pub fn is_finished(&self) -> bool {
        self.open.is_empty() && self.missing.is_empty()
    }

    /// Whether every promise was kept. A recorded failure is an end, but not the promised one.
    pub fn holds(&self, allow_failed: bool) -> bool {
        self.is_finished() && self.duplicate.is_empty() && (allow_failed || self.failed.is_empty())
    }

    /// The figures, in the order in which they are shown.
    pub fn figures(&self) -> [(&'static str, usize); 6] {
        [
            ("accepted", self.accepted),
            ("done", self.done.len()),
            ("open", self.open.len()),
            ("failed", self.failed.len()),
            ("duplicate", self.duplicate.len()),
            ("missing", self.missing.len()),
        ]
    }

    pub fn progress(&self) -> String {
        let figures = self.figures();
        let figures = figures.map(|(name, count)| format!("{name} {count}"));
        figures.join(", ")
    }

    fn enter(&mut self, row: &Row) {
        match row.status.as_str() {
            "received" => self.open.push(row.id),
            "done" if row.result.is_some() => self.done.push(row.id),
            "done" => self
                .failed
                .push((row.id, "done without a result".to_owned())),
            "failed" => self.failed.push((row.id, row.error.clone())),
            other => self
                .failed
                .push((row.id, format!("its status is {other:?}"))),
        }
    }
}

/// Keys under which several ids were promised.
fn ambiguous(accepted: &[Accepted]) -> Vec<String> {
    let mut ids_of: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for one in accepted {
        ids_of.entry(&one.key).or_default().insert(one.id);
    }
    let several = ids_of.into_iter().filter(|(_, ids)| ids.len() > 1);
    several
        .map(|(key, ids)| format!("key {key}: {} ids", ids.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: u128, key: &str) -> Accepted {
        Accepted {
            id: Uuid::from_u128(id),
            key: key.to_owned(),
            status: 200,
        }
    }

    fn row(id: u128, status: &str) -> Row {
        Row {
            id: Uuid::from_u128(id),
            key: String::new(),
            status: status.to_owned(),
            error: String::new(),
            result: (status == "done").then(|| "{}".to_owned()),
        }
    }

    fn report(rows: Vec<Row>) -> DurabilityReport {
        DurabilityReport::of(&[accepted(1, "a"), accepted(2, "b")], rows)
    }

    #[test]
    fn it_holds_only_if_every_promise_is_done_once() {
        let kept = report(vec![row(1, "done"), row(2, "done")]);
        assert!(kept.holds(false));
        assert_eq!((kept.accepted, kept.done.len()), (2, 2));
    }

    #[test]
    fn a_missing_row_an_open_one_and_a_failure_each_break_it() {
        let missing = report(vec![row(1, "done")]);
        assert_eq!(missing.missing, [Uuid::from_u128(2)]);
        let open = report(vec![row(1, "done"), row(2, "received")]);
        assert_eq!(open.open, [Uuid::from_u128(2)]);
        let failed = report(vec![row(1, "done"), row(2, "failed")]);
        assert_eq!(failed.failed.len(), 1);
        assert!(!missing.holds(true) && !open.holds(true));
        assert!(!failed.holds(false) && failed.holds(true));
    }

    #[test]
    fn a_second_row_is_a_duplicate_whatever_it_says() {
        let twice = report(vec![row(1, "done"), row(2, "done"), row(2, "done")]);
        assert_eq!(twice.duplicate.len(), 1);
        assert!(!twice.holds(true));
    }

    #[test]
    fn a_key_that_stands_for_two_ids_is_a_duplicate_and_a_line_said_twice_is_none() {
        let rows = || vec![row(1, "done"), row(2, "done")];
        let ambiguous = DurabilityReport::of(&[accepted(1, "a"), accepted(2, "a")], rows());
        assert_eq!(ambiguous.duplicate.len(), 1);
        let again = DurabilityReport::of(&[accepted(1, "a"), accepted(1, "a")], rows());
        assert!(again.holds(false));
        assert_eq!(again.accepted, 1);
    }

    #[test]
    fn done_without_a_result_is_not_done() {
        let mut empty = row(2, "done");
        empty.result = None;
        let report = report(vec![row(1, "done"), empty]);
        assert_eq!(report.failed.len(), 1);
    }
}
