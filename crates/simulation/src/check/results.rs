//! A result that was told stays. Where two ends of one request met, the other is kept beside it, and the earlier stands.

use super::Run;
use crate::fault::Kind;
use crate::history::{Told, Violation};
use crate::postgres::rows::{Conflict, Row, Status};
use crate::world::number;
use crate::world::time::Micros;
use uuid::Uuid;

/// How long after the worker's answer its record may be dated, in microseconds.
const RECORDED_WITHIN: u64 = 3_000_000;

/// The first result that is not the one in the end.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let changed = run.told.iter().find_map(|told| changed(run, told));
    changed.or_else(|| {
        run.tables
            .conflicts
            .iter()
            .find_map(|it| misjudged(run, it))
    })
}

/// A later end that stands for an earlier one.
fn misjudged(run: &Run<'_>, (place, conflict): (&(Uuid, Micros), &Conflict)) -> Option<Violation> {
    let (row, other) = (run.tables.row(place.0)?, conflict.other.as_ref()?);
    if stands_by_right(run, row, other) {
        return None;
    }
    let what = format!("{other} was there before {:?}, which stands", row.response);
    Some(run.ended("results", number(place.0), what))
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
    let what = if !met.clone().any(is_noted) {
        "and no conflict shows it"
    } else if !stands_by_right(run, row, result) {
        "which came later"
    } else {
        return None;
    };
    let what = format!("{result} was told, {:?} stands, {what}", row.response);
    Some(Violation::told("results", told, promise.id, what))
}

/// Whether the result that stands was there first; recorded times tell no more than that, and only if the clocks are right.
fn stands_by_right(run: &Run<'_>, row: &Row, other: &str) -> bool {
    let stands = row.response.as_deref().and_then(run.answered_at);
    let other = (run.answered_at)(other);
    let is_later = stands
        .zip(other)
        .is_some_and(|(stands, other)| stands > other + RECORDED_WITHIN);
    !is_later || run.has(|kind| matches!(kind, Kind::Clock(..) | Kind::DatabaseClock(_)))
}
