//! What an answer says is recorded in Postgres is recorded there when the answer is given.

use holdfast_api::embedded::Outcome;
use holdfast_wire::RecordedIn;

use crate::history::{Told, Violation};
use crate::postgres::rows::Status;
use crate::postgres::server::Server;
use crate::world::number;

/// Holds `told` against what `server` has at this moment.
#[must_use]
pub fn at_once(told: &Told, server: &Server) -> Option<Violation> {
    let promise = told.promise()?;
    // What was answered lately is told again where Postgres cannot be asked.
    let is_replay = matches!(
        told.outcome,
        Outcome::Done { replayed: true, .. } | Outcome::Deferred { replayed: true, .. }
    );
    if promise.recorded_in == RecordedIn::Journal || is_replay {
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
    Some(Violation {
        property: "recorded",
        at: told.told_at,
        request: number(promise.id),
        what: format!("{} recorded in the database, but {wrong}", told.status()),
    })
}
