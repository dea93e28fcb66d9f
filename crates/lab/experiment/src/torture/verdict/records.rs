//! What is in the tables against what was promised.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::load::CallHistory;
use crate::torture::evidence::{Again, Evidence, Tables};

/// Every accepted request is done, once.
pub(super) fn lost(_: &Evidence, Tables { report, .. }: &Tables) -> Vec<String> {
    let missing = report.missing.iter().map(|id| format!("{id} is missing"));
    let open = report.open.iter().map(|id| format!("{id} is open"));
    let failed = report
        .failed
        .iter()
        .map(|(id, why)| format!("{id} failed: {why}"));
    let duplicate = report.duplicate.iter().map(|it| format!("duplicate: {it}"));
    missing.chain(open).chain(failed).chain(duplicate).collect()
}

/// Whatever is recorded is done, whoever was told of it: a client that never heard may still ask for it.
pub(super) fn unfinished(_: &Evidence, tables: &Tables) -> Vec<String> {
    let unfinished = tables.rows.iter().filter(|row| row.status != "done");
    unfinished
        .map(|row| format!("{} is {} {}", row.id, row.status, row.error))
        .collect()
}

/// A request that was tried once has one row. More attempts can leave more: replicas cut off from the database may each accept
/// a key, and an INSERT that an API died over may still be committed. A try that was refused at connect leaves none.
pub(super) fn too_many(evidence: &Evidence, tables: &Tables) -> Vec<String> {
    let ids_of = ids_of(tables);
    let too_many = |history: &&CallHistory| {
        let arrived = history.attempts.iter().filter(|it| it.may_have_arrived());
        ids_of.get(history.key.as_str()).map_or(0, BTreeSet::len) > arrived.count()
    };
    let offenders = evidence.histories.iter().filter(too_many);
    offenders
        .map(|history| format!("key {}: {:?}", history.key, history.attempts))
        .collect()
}

/// One row per key, which leads to one of the requests made under it.
pub(super) fn ambiguous_keys(evidence: &Evidence, tables: &Tables) -> Vec<String> {
    let mut owners: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    for (key, id) in &tables.keys {
        owners.entry(key).or_default().push(*id);
    }
    let ids_of = ids_of(tables);
    let problem = |history: &CallHistory| {
        let key = history.key.as_str();
        let problem = match owners.get(key).map(Vec::as_slice) {
            None | Some([]) if history.accepted().is_none() => return None,
            None | Some([]) => "has no row".to_owned(),
            Some([id]) if ids_of.get(key).is_some_and(|ids| ids.contains(id)) => return None,
            Some([id]) => format!("leads to {id}, which is no request made under it"),
            Some(several) => format!("has {} rows", several.len()),
        };
        Some(format!("key {key} {problem}"))
    };
    evidence.histories.iter().filter_map(problem).collect()
}

/// The same key once more: the finished request's result.
pub(super) fn unresolved(evidence: &Evidence, tables: &Tables) -> Vec<String> {
    let ids_of = ids_of(tables);
    let resolves = |again: &&Again| resolves(again, ids_of.get(again.key.as_str()));
    let offenders = evidence.again.iter().filter(|again| !resolves(again));
    offenders
        .map(|it| format!("{}, accepted as {}: {:?}", it.key, it.id, it.same.end))
        .collect()
}

pub(super) fn not_refused(evidence: &Evidence, _: &Tables) -> Vec<String> {
    let refused = |again: &&Again| again.other.end.answer().is_some_and(|it| it.status == 422);
    let offenders = evidence.again.iter().filter(|again| !refused(again));
    offenders
        .map(|again| format!("{}: {:?}", again.key, again.other.end))
        .collect()
}

/// What a client was told is what stands in the table, during the run and when it asked again.
pub(super) fn changed_results(evidence: &Evidence, tables: &Tables) -> Vec<String> {
    let recorded = tables.rows.iter().map(|row| (row.id, row.result.as_ref()));
    let recorded: BTreeMap<Uuid, Option<&String>> = recorded.collect();
    let of_run = evidence.histories.iter().flat_map(|it| &it.attempts);
    let of_again = evidence.again.iter().map(|again| &again.same);
    let answers = of_run.chain(of_again).filter_map(|made| made.end.answer());
    let changed = answers.filter_map(|answer| {
        let (id, told) = (answer.request_id?, answer.result.as_ref()?);
        // One that is not there at all is lost, which is told elsewhere.
        let kept = recorded.get(&id).filter(|kept| **kept != Some(told))?;
        Some(format!("{id}: told {told}, recorded {kept:?}"))
    });
    changed.collect()
}

/// To the id it was accepted under; where several requests were made under the key, to one of them.
fn resolves(again: &Again, ids: Option<&BTreeSet<Uuid>>) -> bool {
    again.same.end.answer().is_some_and(|answer| {
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
    use super::super::fixture::{RunFixture, answer, id, made, recorded, rules};
    use crate::durability::Row;
    use crate::load::Completion;
    use crate::plan::Target;

    #[test]
    fn a_run_in_which_all_went_well_has_no_violation() {
        assert_eq!(rules(RunFixture::well()), Vec::<&str>::new());
    }

    #[test]
    fn a_promise_that_is_missing_open_failed_or_there_twice_is_broken() {
        for broken in [
            RunFixture::well().without_row(1),
            RunFixture::well().row(1, |row| row.status = "received".to_owned()),
            RunFixture::well().row(1, |row| row.status = "failed".to_owned()),
            RunFixture::well().with_another_row(1, 1),
        ] {
            let found = rules(broken);
            assert!(
                found.contains(&"every accepted request is done exactly once".to_owned()),
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
            stood_still.outage(Target::Replica(1), 10.1, 11.9),
        ] {
            assert_eq!(rules(lost(excused)), Vec::<&str>::new());
        }
        for broken in [
            failed_over(),
            failed_over().put_off(2, "database", 11.0),
            failed_over().put_off(2, "journal", 10.1),
            put_off(RunFixture::well().fails_over(10.6)),
            put_off(RunFixture::well().outage(Target::Database, 10.2, 11.2)),
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
        assert!(rules(two().tried_twice(1, Completion::Reset)).is_empty());
        assert!(rules(two().tried_twice(1, Completion::GivenUp)).is_empty());
        // Those never reached an API.
        for before in [Completion::Refused, Completion::NoFile] {
            assert_eq!(rules(two().tried_twice(1, before)).len(), 1);
        }
    }

    #[test]
    fn a_row_that_nobody_was_promised_is_done_as_well() {
        let stranger = |status: &str| {
            let row = recorded(id(7), String::new(), status);
            RunFixture::well().rows(|rows| rows.push(row))
        };
        for status in ["received", "failed"] {
            assert_eq!(rules(stranger(status)), ["whatever is recorded is done"]);
        }
        assert!(rules(stranger("done")).is_empty());
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
        assert_eq!(rules(RunFixture::well().again(200, 7)), [RULE]);
        assert!(rules(RunFixture::well().again(202, 1)).contains(&RULE.to_owned()));
        let cut_off = RunFixture::well()
            .with_another_row(1, 7)
            .tried_twice(1, Completion::Reset);
        assert!(rules(cut_off.again(200, 7)).is_empty());
    }

    #[test]
    fn a_result_that_was_told_and_is_recorded_otherwise_or_not_at_all_is_broken() {
        const RULE: &str = "a result once told to a client stays";
        let told = || RunFixture::well().all(|answer| answer.result = Some("1".to_owned()));
        let result = |row: &mut Row, result: &str| row.result = Some(result.to_owned());
        let kept = || told().rows(|rows| rows.iter_mut().for_each(|row| result(row, "1")));
        assert!(rules(kept()).is_empty());
        assert_eq!(rules(kept().row(2, |row| result(row, "2"))), [RULE]);
        assert_eq!(rules(told()), [RULE]);
    }

    #[test]
    fn another_body_under_a_used_key_must_be_refused() {
        const RULE: &str = "a used key with another body is refused (422)";
        let accepted = made(answer(200, 1), 90.0, 90.1);
        let accepted = RunFixture::well().with(|it| it.again[0].other = accepted);
        assert_eq!(rules(accepted), [RULE]);
    }
}
