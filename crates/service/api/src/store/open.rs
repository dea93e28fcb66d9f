//! Open work: claiming it, and giving it back.
//!
//! A claim is a lease on the database's clock. `SKIP LOCKED` lets several replicas claim at once without waiting for each
//! other, and passes over a row that a live call is just completing.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use uuid::Uuid;

use super::DatabaseError;
use super::Store;

/// By the index that orders open work by its lease: what somebody holds is not looked at, however much of it there is. The
/// second half is for a clock that was set back since: a lease that ends later than any lease can is none.
const CLAIM: &str = "UPDATE requests SET lease_until = now() + make_interval(secs => $2) \
    WHERE id = ANY (( \
        ARRAY ( \
            SELECT id FROM requests \
            WHERE status = 'received' AND origin = 'resilient' AND coalesce(lease_until, '-infinity') < now() \
            ORDER BY coalesce(lease_until, '-infinity'), id LIMIT $1::int FOR UPDATE SKIP LOCKED \
        ) || ARRAY ( \
            SELECT id FROM requests \
            WHERE status = 'received' AND origin = 'resilient' \
                AND coalesce(lease_until, '-infinity') > now() + make_interval(secs => $3) \
            ORDER BY coalesce(lease_until, '-infinity'), id LIMIT $1::int FOR UPDATE SKIP LOCKED \
        ) \
    )[1:$1::int]) \
    RETURNING id, attempts, lease_until, payload::text AS payload, received_at, \
        (SELECT key FROM idempotency_keys WHERE request_id = requests.id LIMIT 1) AS key";
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

    /// Claims the open requests that have been free for longest, `limit` at most, for `lease`. No lease is longer than
    /// `longest_lease`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        longest_lease: Duration,
    ) -> Result<Vec<OpenRequest>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let (lease, longest_lease) = (lease.as_secs_f64(), longest_lease.as_secs_f64());
        let outcome = async {
            let statement = session.prepare_cached(CLAIM).await?;
            let rows = session
                .query(&statement, &[&limit, &lease, &longest_lease])
                .await?;
            let claimed = rows.iter().map(open_request);
            claimed.collect()
        }
        .await;
        session.finish(outcome)
    }

    /// Records the worker's `response` to the request `id`, which took `attempts`, unless an operator gave it up meanwhile:
    /// nobody was promised this result. False: the row is gone, or ended otherwise.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn complete_open(
        &self,
        id: Uuid,
        response: &str,
        attempts: u32,
    ) -> Result<bool, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
        let outcome = async {
            let statement = session.prepare_cached(COMPLETE).await?;
            let rows = session
                .execute(&statement, &[&id, &response, &attempts])
                .await?;
            if rows > 0 {
                return Ok(true);
            }
            // A statement of its own: one that waited for the cancel's commit would not see it.
            let statement = session.prepare_cached(IS_CANCELLED).await?;
            Ok(session.query_opt(&statement, &[&id]).await?.is_some())
        }
        .await;
        session.finish(outcome)
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

fn open_request(row: &Row) -> Result<OpenRequest, tokio_postgres::Error> {
    let failures: i32 = row.try_get("attempts")?;
    let payload: Option<String> = row.try_get("payload")?;
    Ok(OpenRequest {
        claimed: Claimed {
            id: row.try_get("id")?,
            failures: failures.unsigned_abs(),
            lease_until: row.try_get("lease_until")?,
        },
        key: row.try_get("key")?,
        // Of type `json`: it parses.
        payload: payload.and_then(|text| RawValue::from_string(text).ok()),
        received_at: row.try_get("received_at")?,
    })
}
