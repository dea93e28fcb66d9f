//! What an answer says is recorded in Postgres is recorded there when the answer is given.

use holdfast_wire::RecordedIn;

use crate::history::{Told, Violation};
use crate::postgres::rows::Status;
use crate::postgres::server::Server;
use crate::world::number;
use crate::world::trace::Trace;

/// Holds `told` against what `server` has at this moment.
pub(crate) fn at_once(told: &Told, server: &Server, trace: &Trace) -> Option<Violation> {
    let promise = told.promise()?;
    // What was answered lately is told again where Postgres cannot be asked.
    if promise.recorded_in == RecordedIn::Journal || told.is_replay() {
        return None;
    }
    // A failover took it, and the replica has not reached Postgres with it since.
    let lost = server.lost().get(&promise.id).copied();
    let reached = |since| trace.reached_postgres(number(promise.id), since, told.told_at);
    if lost.is_some_and(|since| !reached(since)) {
        return None;
    }
    let wrong = server.look(|tables| match (tables.row(promise.id), &promise.result) {
        (None, _) => Some("there is no such row".to_owned()),
        (Some(_), None) => None,
        (Some(row), Some(_)) if row.status == Status::Done && row.response == promise.result => {
            None
        }
        (Some(row), Some(result)) => Some(format!("{result} was told, the row has {row:?}")),
    })?;
    let what = format!("{} recorded in the database, but {wrong}", told.status());
    Some(Violation::told("recorded", told, promise.id, what))
}
