//! Whatever was accepted is in Postgres in the end, once, and ended as it should.

use super::Run;
use crate::history::{Told, Violation};
use crate::postgres::rows::Status;
use crate::world::number;
use crate::world::worker::is_unlucky;

/// The first promise that was not kept.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    run.told.iter().find_map(|told| broken(run, told))
}

fn broken(run: &Run<'_>, told: &Told) -> Option<Violation> {
    let promise = told.promise()?;
    if run.is_lost(told, promise.id) {
        return None;
    }
    let row = run.tables.row(promise.id);
    let what = match row.map(|row| row.status) {
        None => "is not in Postgres".to_owned(),
        // Postgres refuses its body for good.
        Some(Status::Failed) if promise.result.is_none() && told.poison => return None,
        // The worker refuses it for good.
        Some(Status::Failed) if promise.result.is_none() && is_unlucky(number(promise.id)) => {
            return None;
        }
        Some(Status::Failed) => format!("failed: {:?}", row.and_then(|row| row.error.clone())),
        Some(Status::Done | Status::Received) => return None,
    };
    let what = format!("{} was told of {}, which {what}", told.status(), promise.id);
    Some(Violation::told("promises", told, promise.id, what))
}
