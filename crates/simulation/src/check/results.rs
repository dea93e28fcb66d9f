//! A result that was told stays. Where two ends of one request met, the other is kept beside it, and the earlier stands.

use super::Run;
use crate::history::{Told, Violation};
use crate::plan::Kind;
use crate::postgres::rows::{Conflict, Status};
use crate::world::number;

/// The first result that is not the one in the end.
#[must_use]
pub fn check(run: &Run<'_>) -> Option<Violation> {
    run.told.iter().find_map(|told| changed(run, told))
}

fn changed(run: &Run<'_>, told: &Told) -> Option<Violation> {
    let promise = told.promise()?;
    let result = promise.result.as_ref()?;
    let row = run.tables.row(promise.id)?;
    let stands = row.status == Status::Done && row.response.as_ref() == Some(result);
    if stands || run.is_lost(told, promise.id) {
        return None;
    }
    let conflicts = run
        .tables
        .conflicts
        .range((promise.id, i64::MIN)..=(promise.id, i64::MAX));
    let met = conflicts.map(|(_, conflict)| conflict);
    let is_noted = |conflict: &Conflict| {
        conflict.other.as_ref() == Some(result) || conflict.kept.as_ref() == Some(result)
    };
    let clocks_are_right =
        !run.has(|kind| matches!(kind, Kind::Clock(..) | Kind::DatabaseClock(_)));
    let what = if !met.clone().any(is_noted) {
        "and no conflict shows it"
    } else if clocks_are_right && !told_otherwise_before(run, told) {
        "and nobody was told another one before"
    } else {
        return None;
    };
    Some(Violation {
        property: "results",
        at: told.told_at,
        request: number(promise.id),
        what: format!("{result} was told, {:?} stands, {what}", row.response),
    })
}

/// Whether the result that stands may have been there first: somebody ended it before this one was told.
fn told_otherwise_before(run: &Run<'_>, told: &Told) -> bool {
    let Some(promise) = told.promise() else {
        return false;
    };
    let row = run.tables.row(promise.id);
    let ended = row.and_then(|row| row.completed_at);
    let mut others = run
        .tables
        .conflicts
        .range((promise.id, i64::MIN)..=(promise.id, i64::MAX));
    others.all(|((_, other_at), conflict)| {
        conflict.other_error.is_some() || ended.is_some_and(|ended| ended <= *other_at)
    })
}
