//! A request recorded with its end at once: one that is gone from Postgres, or that Postgres refuses.

use crate::postgres::DatabaseError;
use uuid::Uuid;

use crate::process::{NewRequest, WorkResult};
use crate::store::Sessions;

/// The key goes to the request that was committed first.
const RECORD: &str = "WITH keyed AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT $6, $1 WHERE $6::text IS NOT NULL \
        ON CONFLICT (key) DO NOTHING \
    ) \
    INSERT INTO requests (id, origin, payload, status, worker_response, attempts, error, received_at, completed_at) \
    VALUES ($1, 'resilient', $2::text::json, $7, $3::text::json, $4, $8, $5, now()) \
    ON CONFLICT (id) DO NOTHING";

const GIVE_UP: &str = "UPDATE requests SET status = 'failed', error = $2, completed_at = now(), lease_until = NULL \
    WHERE id = $1 AND status = 'received'";

/// Records that `request` ended with `result`, unless something is there.
///
/// # Errors
/// See [`DatabaseError`].
pub(in crate::store) async fn record(
    sessions: &Sessions,
    request: &NewRequest,
    result: &WorkResult,
) -> Result<(), DatabaseError> {
    let end = End {
        payload: request.body(),
        status: "done",
        response: Some(result.response.get()),
        attempts: i32::try_from(result.attempts).unwrap_or(i32::MAX),
        error: None,
    };
    end.write(sessions, request).await
}

/// Records that `request` failed with `error`, without its body, unless something is there.
///
/// # Errors
/// See [`DatabaseError`].
pub(in crate::store) async fn fail(
    sessions: &Sessions,
    request: &NewRequest,
    error: &str,
) -> Result<(), DatabaseError> {
    let end = End {
        payload: None,
        status: "failed",
        response: None,
        attempts: 0,
        error: Some(error),
    };
    end.write(sessions, request).await
}

/// Records that the open request `id` failed with `error`.
///
/// # Errors
/// See [`DatabaseError`].
pub(in crate::store) async fn give_up(
    sessions: &Sessions,
    id: Uuid,
    error: &str,
) -> Result<(), DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let statement = session.prepare_cached(GIVE_UP).await?;
        session.execute(&statement, &[&id, &error]).await
    }
    .await;
    session.finish(outcome).map(drop)
}

struct End<'a> {
    payload: Option<&'a str>,
    status: &'a str,
    response: Option<&'a str>,
    attempts: i32,
    error: Option<&'a str>,
}

impl End<'_> {
    async fn write(&self, sessions: &Sessions, request: &NewRequest) -> Result<(), DatabaseError> {
        let session = sessions.acquire().await?;
        let (id, key) = (request.id, request.key.as_deref());
        let outcome = async {
            let statement = session.prepare_cached(RECORD).await?;
            session
                .execute(
                    &statement,
                    &[
                        &id,
                        &self.payload,
                        &self.response,
                        &self.attempts,
                        &request.received_at,
                        &key,
                        &self.status,
                        &self.error,
                    ],
                )
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }
}
