//! What is in the tables against what was promised.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Violation;
use crate::durability::{Ledger, Row};
use crate::torture::evidence::{Again, Evidence, Tables};

/// Every accepted request is done, once.
pub(super) fn lost(ledger: &Ledger) -> Vec<Violation> {
    const RULE: &str = "every accepted request is done exactly once";
    let mut found = Vec::new();
    for (what, ids) in [("missing", &ledger.missing), ("open", &ledger.open)] {
        found.extend(
            ids.iter()
                .map(|id| Violation::new(RULE, format!("{id} is {what}"))),
        );
    }
    let failed = ledger.failed.iter();
    found.extend(failed.map(|(id, why)| Violation::new(RULE, format!("{id} failed: {why}"))));
    let duplicate = ledger.duplicate.iter();
    found.extend(duplicate.map(|what| Violation::new(RULE, format!("duplicate: {what}"))));
    found
}

/// Whatever is recorded is done, whoever was told of it: a client that never heard may still ask for it.
pub(super) fn finished(rows: &[Row]) -> Vec<Violation> {
    let unfinished = rows.iter().filter(|row| row.status != "done");
    unfinished
        .map(|row| {
            let detail = format!("{} is {} {}", row.id, row.status, row.error);
            Violation::new("whatever is recorded is done", detail)
        })
        .collect()
}

/// A request that was tried once has one row. More attempts can leave more: replicas cut off from the database may each accept
/// a key, and an INSERT that an API died over may still be committed. A try that was refused at connect leaves none.
pub(super) fn rows(evidence: &Evidence, tables: &Tables) -> Vec<Violation> {
    const RULE: &str = "no more requests are recorded than were made";
    let ids_of = ids_of(tables);
    let too_many = |history: &&crate::load::CallHistory| {
        let arrived = history.attempts.iter().filter(|it| it.may_have_arrived());
        ids_of.get(history.key.as_str()).map_or(0, BTreeSet::len) > arrived.count()
    };
    let offenders = evidence.histories.iter().filter(too_many);
    offenders
        .map(|history| {
            let detail = format!("key {}: {:?}", history.key, history.attempts);
            Violation::new(RULE, detail)
        })
        .collect()
}

/// One row per key, which leads to one of the requests made under it.
pub(super) fn keys(evidence: &Evidence, tables: &Tables) -> Vec<Violation> {
    const RULE: &str = "a key stands for one request";
    let mut owners: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (key, id) in &tables.keys {
        owners.entry(key).or_default().push(*id);
    }
    let ids_of = ids_of(tables);
    let mut found = Vec::new();
    for history in &evidence.histories {
        let key = history.key.as_str();
        let problem = match owners.get(key).map(Vec::as_slice) {
            None | Some([]) if history.accepted().is_none() => continue,
            None | Some([]) => "has no row".to_owned(),
            Some([id]) if ids_of.get(key).is_some_and(|ids| ids.contains(id)) => continue,
            Some([id]) => format!("leads to {id}, which is no request made under it"),
            Some(several) => format!("has {} rows", several.len()),
        };
        found.push(Violation::new(RULE, format!("key {key} {problem}")));
    }
    found
}

/// The same key once more: the finished request's result, without a second call. With another body: refused.
pub(super) fn again(evidence: &Evidence, tables: &Tables) -> Vec<Violation> {
    const SAME: &str = "the same key again gives the same request, finished";
    const OTHER: &str = "a used key with another body is refused (422)";
    let ids_of = ids_of(tables);
    let mut found = Vec::new();
    for again in &evidence.again {
        let ids = ids_of.get(again.key.as_str());
        if !resolves(again, ids) {
            let detail = format!(
                "{}, accepted as {}: {:?}",
                again.key, again.id, again.same.reply
            );
            found.push(Violation::new(SAME, detail));
        }
        if again
            .other
            .reply
            .answer()
            .is_none_or(|answer| answer.status != 422)
        {
            let detail = format!("{}: {:?}", again.key, again.other.reply);
            found.push(Violation::new(OTHER, detail));
        }
    }
    let called = match evidence.worker_calls_again {
        Some(0) => return found,
        Some(calls) => format!("the worker was called {calls} times"),
        None => "the worker's calls could not be counted".to_owned(),
    };
    found.push(Violation::new(SAME, called));
    found
}

/// What a client was told is what stands in the table, during the run and when it asked again.
pub(super) fn results(evidence: &Evidence, tables: &Tables) -> Vec<Violation> {
    let recorded: BTreeMap<Uuid, Option<&String>> = tables
        .rows
        .iter()
        .map(|row| (row.id, row.result.as_ref()))
        .collect();
    let of_run = evidence.histories.iter().flat_map(|it| &it.attempts);
    let of_again = evidence.again.iter().map(|again| &again.same);
    let mut found = Vec::new();
    for answer in of_run
        .chain(of_again)
        .filter_map(|made| made.reply.answer())
    {
        let (Some(id), Some(told)) = (answer.request_id, &answer.result) else {
            continue;
        };
        // One that is not there at all is lost, which is told elsewhere.
        if let Some(kept) = recorded.get(&id).filter(|kept| **kept != Some(told)) {
            let detail = format!("{id}: told {told}, recorded {kept:?}");
            found.push(Violation::new(
                "a result once told to a client stays",
                detail,
            ));
        }
    }
    found
}

/// To the id it was accepted under; where several requests were made under the key, to one of them.
fn resolves(again: &Again, ids: Option<&BTreeSet<Uuid>>) -> bool {
    again.same.reply.answer().is_some_and(|answer| {
        let known =
            |id| id == again.id || ids.is_some_and(|ids| ids.len() > 1 && ids.contains(&id));
        answer.status == 200 && answer.request_id.is_some_and(known)
    })
}

/// The requests whose bodies carry a key.
fn ids_of(tables: &Tables) -> BTreeMap<&str, BTreeSet<Uuid>> {
    let mut ids_of: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for row in &tables.rows {
        ids_of.entry(&row.key).or_default().insert(row.id);
    }
    ids_of
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{RunFixture, id};
    use super::super::violations;
    use crate::load::Broken;
    use crate::torture::schedule::Target;

    fn rules(scene: RunFixture) -> Vec<&'static str> {
        let found = violations(&scene.evidence());
        found.into_iter().map(|one| one.rule).collect()
    }

    #[test]
    fn a_run_in_which_all_went_well_has_no_violation() {
        assert_eq!(rules(RunFixture::well()), Vec::<&str>::new());
    }

    #[test]
    fn a_promise_that_is_missing_open_failed_or_there_twice_is_broken() {
        for broken in [
            RunFixture::well().without_row(1),
            RunFixture::well().with_row(1, "received"),
            RunFixture::well().with_row(1, "failed"),
            RunFixture::well().with_another_row(1, 1),
        ] {
            let found = rules(broken);
            assert!(
                found.contains(&"every accepted request is done exactly once"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_was_put_off_as_postgres_failed_over_is_outside_the_promise_and_nothing_else_is() {
        let lost = |scene: RunFixture| scene.keys(2, &[]).without_row(2);
        let put_off = |scene: RunFixture| scene.put_off(2, "database", 10.1);
        let failed_over = || RunFixture::well().fails_over(10.2);
        let stood_still = failed_over().put_off(2, "database", 12.0);
        for excused in [
            put_off(failed_over()),
            stood_still.outage(Target::Api(0), 10.1, 11.9),
        ] {
            assert_eq!(rules(lost(excused)), Vec::<&str>::new());
        }
        for broken in [
            failed_over(),
            failed_over().put_off(2, "database", 11.0),
            failed_over().put_off(2, "journal", 10.1),
            put_off(RunFixture::well().fails_over(10.6)),
            put_off(RunFixture::well().outage(Target::Db, 10.2, 11.2)),
        ] {
            let found = rules(lost(broken));
            assert_eq!(found[0], "every accepted request is done exactly once");
        }
    }

    #[test]
    fn a_second_request_for_one_try_is_one_too_many_and_for_two_tries_is_not() {
        let two = RunFixture::well().with_another_row(1, 7);
        assert_eq!(rules(two), ["no more requests are recorded than were made"]);
        let two = || RunFixture::well().with_another_row(1, 7);
        assert!(rules(two().tried_twice(1, Broken::Reset)).is_empty());
        assert!(rules(two().tried_twice(1, Broken::Silent)).is_empty());
        // Those never reached an API.
        for before in [Broken::Refused, Broken::NoFile] {
            assert_eq!(rules(two().tried_twice(1, before)).len(), 1);
        }
    }

    #[test]
    fn a_row_that_nobody_was_promised_is_done_as_well() {
        for status in ["received", "failed"] {
            let unknown = RunFixture::well().with_stranger(7, status);
            assert_eq!(rules(unknown), ["whatever is recorded is done"]);
        }
        assert!(rules(RunFixture::well().with_stranger(7, "done")).is_empty());
    }

    #[test]
    fn a_key_without_a_row_with_two_or_with_a_strangers_id_is_broken() {
        for scene in [
            RunFixture::well().keys(1, &[]),
            RunFixture::well().keys(1, &[id(1), id(1)]),
            RunFixture::well().keys(1, &[id(9)]),
        ] {
            assert_eq!(rules(scene), ["a key stands for one request"]);
        }
    }

    #[test]
    fn the_same_key_must_lead_to_the_same_request_or_to_another_one_made_under_it() {
        const RULE: &str = "the same key again gives the same request, finished";
        assert_eq!(rules(RunFixture::well().again(1, 200, 7)), [RULE]);
        assert!(rules(RunFixture::well().again(1, 202, 1)).contains(&RULE));
        let cut_off = RunFixture::well()
            .with_another_row(1, 7)
            .tried_twice(1, Broken::Reset);
        assert!(rules(cut_off.again(1, 200, 7)).is_empty());
        assert_eq!(rules(RunFixture::well().called_again(Some(1))), [RULE]);
        assert_eq!(rules(RunFixture::well().called_again(None)), [RULE]);
    }

    #[test]
    fn a_result_that_was_told_and_is_recorded_otherwise_or_not_at_all_is_broken() {
        const RULE: &str = "a result once told to a client stays";
        let told = || RunFixture::well().all(|answer| answer.result = Some("1".to_owned()));
        let kept = || {
            [1, 2, 3]
                .into_iter()
                .fold(told(), |scene, it| scene.recorded_result(it, "1"))
        };
        assert!(rules(kept()).is_empty());
        assert_eq!(rules(kept().recorded_result(2, "2")), [RULE]);
        assert_eq!(rules(told()), [RULE; 3]);
    }

    #[test]
    fn another_body_under_a_used_key_must_be_refused() {
        let accepted = RunFixture::well().other_body(1, 200);
        assert_eq!(
            rules(accepted),
            ["a used key with another body is refused (422)"]
        );
    }
}
