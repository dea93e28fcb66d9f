//! One acceptance under one key, as far as a replica could know.

use std::collections::BTreeMap;

use holdfast_wire::RecordedIn;
use uuid::Uuid;

use super::Run;
use crate::history::{Promise, Told, Violation};
use crate::world::number;

/// The first acceptance under a key that stood for another request already: told by the same life of the same replica, or
/// both recorded in Postgres.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let mut before: BTreeMap<u8, Vec<(&Told, Promise)>> = BTreeMap::new();
    for told in run.told {
        let (Some(key), Some(promise)) = (told.key, told.promise()) else {
            continue;
        };
        let earlier = before.entry(key).or_default();
        let knew = |(other, promised): &&(&Told, Promise)| {
            let here = other.replica == told.replica;
            let there = [&promise, promised].map(|it| it.recorded_in == RecordedIn::Database);
            other.poison == told.poison
                && other.told_at < told.asked_at
                && promised.id != promise.id
                // It was accepted by this very call.
                && told.request == promise.id
                && !run.is_lost(other, promised.id)
                && (here || (there == [true; 2] && has_key(run, key, promised.id)))
        };
        if let Some((other, promised)) = earlier.iter().find(knew) {
            let what = format!(
                "accepted under key {key} by {:?}, which stood for request {} since {} µs ({:?})",
                told.replica,
                number(promised.id),
                other.told_at,
                other.replica
            );
            return Some(Violation::told("keys", told, promise.id, what));
        }
        earlier.push((told, promise));
    }
    None
}

/// Of two that were accepted by replicas cut off, only the first in Postgres has the key.
fn has_key(run: &Run<'_>, key: u8, id: Uuid) -> bool {
    run.tables.keys.get(&format!("key-{key}")) == Some(&id)
}
