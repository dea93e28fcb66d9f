//! What becomes of a claim: its result, a longer lease, a failure that counts, or back it goes.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::refused::is_about_a_row;
use super::{DatabaseError, Store};

const COMPLETE: &str = "UPDATE requests \
    SET status = 'done', worker_response = $2::text::json, error = NULL, attempts = attempts + $3, completed_at = now(), \
        lease_until = NULL \
    WHERE id = $1 AND status = 'received'";
const IS_CANCELLED: &str = "SELECT FROM requests WHERE id = $1 AND status = 'cancelled'";
/// Changes nothing, and fails where nothing can be changed.
const PROBE: &str = "UPDATE requests SET lease_until = lease_until WHERE false";
const EXTEND: &str = "UPDATE requests SET lease_until = now() + make_interval(secs => $3) \
    WHERE id = $1 AND status = 'received' AND lease_until = $2 \
    RETURNING lease_until";
/// Not at once: others go first.
const GIVE_BACK: &str = "UPDATE requests SET lease_until = now() + make_interval(secs => $3) \
    WHERE id = $1 AND status = 'received' AND lease_until = $2";
/// While it is tried again, an operator sees by what it failed last.
const COUNT_FAILURE: &str = "UPDATE requests SET \
        attempts = attempts + 1, \
        error = $2, \
        lease_until = CASE WHEN attempts + 1 < $3 THEN now() + make_interval(secs => $4) END, \
        status = CASE WHEN attempts + 1 < $3 THEN 'received' ELSE 'failed' END, \
        completed_at = CASE WHEN attempts + 1 < $3 THEN NULL ELSE now() END \
    WHERE id = $1 AND status = 'received' AND lease_until = $5 \
    RETURNING status = 'failed'";

/// A request whose work is ours to have done while the lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: Uuid,
    /// Its own failures so far.
    pub failures: u32,
    /// Until when, on the database's clock: who it belongs to is told by it.
    pub lease_until: Timestamp,
}

/// A claimed request with all that it takes to record it anew.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// The claim.
    pub claimed: Claimed,
    /// Its idempotency key.
    pub key: Option<String>,
    /// Its body as received.
    pub payload: Option<Box<RawValue>>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// What became of an open request's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletedOpen {
    /// It is recorded.
    Recorded,
    /// An operator gave the request up meanwhile: nobody was promised this result.
    Cancelled,
    /// The row is gone, or ended otherwise.
    Untouched,
    /// Postgres is well and refuses it, and says why.
    Refused(String),
}

/// What a counted failure led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureOutcome {
    /// It will be tried again.
    Retry,
    /// It was given up.
    GaveUp,
}

impl Store {
    /// Whether the database takes writes, without making one.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn probe(&self) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(PROBE).await?;
            session.execute(&statement, &[]).await
        }
        .await;
        session.finish(outcome).map(drop)
    }

    /// Records the worker's `response` to the request `id`, which took `attempts`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn complete_open(
        &self,
        id: Uuid,
        response: &str,
        attempts: u32,
    ) -> Result<CompletedOpen, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
        let outcome = async {
            let statement = session.prepare_cached(COMPLETE).await?;
            let rows = session
                .execute(&statement, &[&id, &response, &attempts])
                .await?;
            if rows > 0 {
                return Ok(CompletedOpen::Recorded);
            }
            // A statement of its own: one that waited for the cancel's commit would not see it.
            let statement = session.prepare_cached(IS_CANCELLED).await?;
            Ok(match session.query_opt(&statement, &[&id]).await? {
                Some(_) => CompletedOpen::Cancelled,
                None => CompletedOpen::Untouched,
            })
        }
        .await;
        match session.finish(outcome) {
            Err(DatabaseError::Refused { sqlstate, source }) if is_about_a_row(&source) => {
                let error = format!("the database refuses the result ({sqlstate})");
                Ok(CompletedOpen::Refused(error))
            }
            completed => completed,
        }
    }

    /// Keeps `claimed` for another `lease` from now; `None` if it is not ours any more.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn extend(
        &self,
        claimed: Claimed,
        lease: Duration,
    ) -> Result<Option<Claimed>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(EXTEND).await?;
            let lease = lease.as_secs_f64();
            let row = session
                .query_opt(&statement, &[&claimed.id, &claimed.lease_until, &lease])
                .await?;
            let extended = row.map(|row| {
                let lease_until = row.try_get(0)?;
                Ok(Claimed {
                    lease_until,
                    ..claimed
                })
            });
            extended.transpose()
        }
        .await;
        session.finish(outcome)
    }

    /// Gives `claimed` back if it is still ours; nobody may claim it for `pause`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn give_back(
        &self,
        claimed: Claimed,
        pause: Duration,
    ) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(GIVE_BACK).await?;
            let pause = pause.as_secs_f64();
            session
                .execute(&statement, &[&claimed.id, &claimed.lease_until, &pause])
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }

    /// Counts a failure of the request's own, if it is still ours: it is given up with `error` if that makes
    /// `max_attempts`, else nobody may claim it for `pause`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Result<FailureOutcome, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let max_attempts = i32::try_from(max_attempts).unwrap_or(i32::MAX);
        let pause = pause.as_secs_f64();
        let outcome = async {
            let statement = session.prepare_cached(COUNT_FAILURE).await?;
            let (id, lease_until) = (claimed.id, claimed.lease_until);
            let row = session
                .query_opt(
                    &statement,
                    &[&id, &error, &max_attempts, &pause, &lease_until],
                )
                .await?;
            row.map_or(Ok(false), |row| row.try_get(0))
        }
        .await;
        let up = session.finish(outcome)?;
        Ok(if up {
            FailureOutcome::GaveUp
        } else {
            FailureOutcome::Retry
        })
    }
}
