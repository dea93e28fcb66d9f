//! A row, a key or a body that Postgres refuses harms nobody else, nor do recovery's statements, whatever they come to.

use holdfast_api::embedded::Outcome;
use holdfast_wire::{DegradedCode, RecordedIn};

use super::Run;
use crate::fault::Kind;
use crate::history::{Told, Violation};
use crate::world::number;
use crate::world::worker::is_unlucky;

/// In a run with no other fault, the first call with a good body that was told anything but a result recorded in Postgres.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let is_slow = run.plan.work.1 > 1500 || run.plan.capacity < 1000;
    let is_local = |kind| matches!(kind, Kind::CatchingUpSlow(_));
    if run.has(|kind| !is_local(kind)) || is_slow {
        return None;
    }
    let harmed = |told: &&Told| {
        let id = told.promise().map_or(told.request, |promise| promise.id);
        !told.poison && !is_unlucky(number(id)) && !is_well(told)
    };
    let told = run.told.iter().find(harmed)?;
    let what = format!("nothing is broken, and it was told {:?}", told.outcome);
    Some(Violation::told("isolation", told, told.request, what))
}

fn is_well(told: &Told) -> bool {
    match &told.outcome {
        // What recovery could not record in time lies in the journal until it can.
        Outcome::Done { replayed: true, .. } => true,
        Outcome::Done {
            recorded_in,
            degraded,
            ..
        } => *recorded_in == RecordedIn::Database && degraded.is_empty(),
        // The key is taken by a call with another body.
        Outcome::KeyReused { .. } => true,
        // Under its key: the worker or Postgres refuses what came first.
        Outcome::Deferred { replayed, .. } => *replayed,
        Outcome::Failed { .. } => told.key.is_some(),
        Outcome::Refused(_) => false,
    }
}

/// In a run where nothing ails Postgres but recovery's statements, the first new call with a good body that was told that Postgres
/// is missing: somebody else's failures decided for it.
pub(crate) fn breaker(run: &Run<'_>) -> Option<Violation> {
    if run.has(|kind| !leaves_live_statements(kind)) {
        return None;
    }
    let harmed = |told: &&Told| !told.poison && misses_postgres(told);
    let told = run.told.iter().find(harmed)?;
    let what = format!(
        "Postgres answers live calls, and it was told {:?}",
        told.outcome
    );
    Some(Violation::told("isolation", told, told.request, what))
}

fn leaves_live_statements(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CatchingUpSlow(_)
            | Kind::WorkerDies
            | Kind::WorkerHangs
            | Kind::WorkerAnswers(_)
            | Kind::WorkerSlow(_)
            | Kind::CutFromWorker(..)
    )
}

fn misses_postgres(told: &Told) -> bool {
    match &told.outcome {
        Outcome::Done {
            recorded_in,
            replayed,
            ..
        }
        | Outcome::Deferred {
            recorded_in,
            replayed,
            ..
        } => !replayed && *recorded_in == RecordedIn::Journal,
        Outcome::Refused(refusal) => refusal.code == DegradedCode::DbUnavailable,
        Outcome::Failed { .. } | Outcome::KeyReused { .. } => false,
    }
}
