//! The report on a trial in figures: of what was promised, and of what was stored and nobody was promised.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Accepted, DurabilityReport, Row};
use crate::trial::{Call, Durability};

/// What was promised or stored and is not done is lost, whatever its row says in place of that: also that it is another's.
/// Whoever told no id, as the naive endpoint, is held to a row that is done of the request's own number.
pub fn of_calls(calls: &[Call], rows: Vec<Row>) -> Durability {
    let done = rows.iter().filter(|row| row.status == "done");
    let done: BTreeSet<u64> = done.filter_map(number).collect();
    let nameless = calls
        .iter()
        .filter(|call| call.is_promised() && promise(call).is_none());
    let missed = nameless.filter(|call| !done.contains(&call.number)).count() as u64;
    let mut durability = named(calls, rows);
    durability.lost += missed;
    durability
}

fn named(calls: &[Call], rows: Vec<Row>) -> Durability {
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let duplicates = (rows.len() - keys.len()) as u64;
    let numbers = calls
        .iter()
        .filter_map(|call| Some((promise(call)?, call.number)));
    let numbers: BTreeMap<Uuid, u64> = numbers.collect();
    let swapped = rows
        .iter()
        .filter(|row| is_swapped(row, numbers.get(&row.id)));
    let swapped: BTreeSet<Uuid> = swapped.map(|row| row.id).collect();
    let ids = calls.iter().filter_map(promise);
    let owed = ids.chain(rows.iter().map(|row| row.id)).map(|id| Accepted {
        id,
        key: id.to_string(),
        status: 202,
    });
    let report = DurabilityReport::of(&owed.collect::<Vec<_>>(), rows);
    let kept = report.done.iter().filter(|id| !swapped.contains(id));
    Durability {
        promised: calls.iter().filter(|call| call.is_promised()).count() as u64,
        lost: (report.accepted - kept.count()) as u64,
        duplicates,
        failed: report.failed.len() as u64,
        done: report.done.len() as u64,
    }
}

/// The same of somebody else's API, which need not record its results: promises that told no id are counted against the rows
/// that no other promise claims.
pub fn of_stranger(calls: &[Call], mut rows: Vec<Row>) -> Durability {
    let claimed: BTreeSet<Uuid> = calls.iter().filter_map(promise).collect();
    let done = rows.iter().filter(|row| row.status == "done");
    let unclaimed = done.filter(|row| !claimed.contains(&row.id)).count() as u64;
    for row in &mut rows {
        row.result.get_or_insert_default();
    }
    let mut durability = named(calls, rows);
    let nameless = durability.promised - calls.iter().filter_map(promise).count() as u64;
    durability.lost += nameless.saturating_sub(unclaimed);
    durability
}

/// Whether a row is another's than the request that its id was promised to.
fn is_swapped(row: &Row, promised_to: Option<&u64>) -> bool {
    let numbers = number(row).zip(promised_to);
    numbers.is_some_and(|(its, other)| its != *other)
}

/// The request's own, which ends its key.
fn number(row: &Row) -> Option<u64> {
    // Without a key a row goes by its id. The model keeps a key as JSON does, in quotation marks.
    let key = Some(row.key.trim_matches('"')).filter(|key| *key != row.id.to_string());
    key?.rsplit_once('-')?.1.parse().ok()
}

/// The id under which a client was promised something.
fn promise(call: &Call) -> Option<Uuid> {
    call.end.answer().filter(|it| it.is_promise())?.request_id
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::trial::{Answer, Completion};

    /// Answered under this id; 0: under none.
    fn call(id: u128, status: u16) -> Call {
        Call {
            number: 0,
            intended: Duration::ZERO,
            sent: Duration::ZERO,
            ended: Duration::ZERO,
            surge: false,
            end: Completion::Answered(Answer {
                status,
                request_id: Some(Uuid::from_u128(id)).filter(|id| !id.is_nil()),
                ..Answer::default()
            }),
        }
    }

    fn row(id: u128, status: &str, key: &str) -> Row {
        Row {
            id: Uuid::from_u128(id),
            key: key.to_owned(),
            status: status.to_owned(),
            error: String::new(),
            result: Some(String::new()),
        }
    }

    #[test]
    fn a_promise_without_a_row_that_is_done_is_lost_and_a_refusal_is_no_promise() {
        let calls = [call(1, 200), call(2, 202), call(3, 202), call(4, 503)];
        let rows = [row(1, "done", "a"), row(2, "received", "b")];
        let counts = of_calls(&calls, rows.into());
        assert_eq!((counts.promised, counts.lost, counts.done), (3, 2, 1));
    }

    #[test]
    fn a_row_that_is_not_done_is_lost_whatever_its_client_was_told() {
        let rows = [row(1, "done", "a"), row(2, "received", "b")];
        assert_eq!(of_calls(&[], rows.into()).lost, 1);
        let failed = of_calls(&[call(1, 202)], vec![row(1, "failed", "a")]);
        assert_eq!((failed.lost, failed.failed), (1, 1));
    }

    #[test]
    fn a_promise_whose_row_is_anothers_is_lost() {
        let lost = |key: &str| of_calls(&[call(1, 200)], vec![row(1, "done", key)]).lost;
        assert_eq!((lost("run-0"), lost("run-7")), (0, 1));
        let id = Uuid::from_u128(1).to_string();
        assert_eq!((lost("a-b"), lost(&id)), (0, 0));
    }

    #[test]
    fn a_second_row_for_the_same_key_is_a_duplicate() {
        let rows = [
            row(1, "done", "a"),
            row(2, "done", "a"),
            row(3, "done", "b"),
        ];
        assert_eq!(of_calls(&[], rows.into()).duplicates, 1);
    }

    #[test]
    fn a_promise_without_an_id_is_lost_without_a_row_of_its_own_number() {
        let lost =
            |key: &str, status: &str| of_calls(&[nameless(200)], vec![row(1, status, key)]).lost;
        assert_eq!((lost("run-0", "done"), lost("\"run-0\"", "done")), (0, 0));
        assert_eq!((lost("run-7", "done"), lost("run-0", "received")), (1, 2));
    }

    fn nameless(status: u16) -> Call {
        call(0, status)
    }

    #[test]
    fn promises_without_an_id_are_covered_by_rows_that_are_done_and_claimed_by_no_other() {
        let rows = [row(1, "done", "a"), row(2, "done", "b")];
        let lost = |calls: &[Call]| of_stranger(calls, rows.to_vec()).lost;
        assert_eq!(lost(&[call(1, 200), nameless(200)]), 0);
        assert_eq!(lost(&[call(1, 200), nameless(200), nameless(202)]), 1);
        assert_eq!(lost(&[nameless(200), nameless(500)]), 0);
    }

    #[test]
    fn a_promise_under_an_id_is_lost_without_its_own_row_however_many_others_there_are() {
        let rows = [row(1, "done", "a"), row(2, "done", "b")];
        assert_eq!(of_stranger(&[call(3, 202)], rows.into()).lost, 1);
    }

    #[test]
    fn a_row_that_is_not_done_is_lost_also_where_nothing_was_promised() {
        assert_eq!(
            of_stranger(&[nameless(500)], vec![row(1, "received", "a")]).lost,
            1
        );
    }
}
