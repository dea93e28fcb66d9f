//! Journal entries on their way into the table: one statement for a whole batch, harmless when repeated.
//!
//! An entry may be in the table already: an insert that timed out may have been committed after all. Then only its end is
//! added, and only if there is none yet: the first recorded result wins. Its key goes to whoever was committed first.

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::DatabaseError;
use super::Store;
use crate::journal::Entry;

const REPLAY: &str = "WITH entry AS ( \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::timestamptz[]) \
        AS entry (id, key, payload, received_at, response, attempts, completed_at) \
    ), keyed AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT key, id FROM entry WHERE key IS NOT NULL \
        ON CONFLICT (key) DO NOTHING \
    ) \
    INSERT INTO requests (id, origin, payload, status, worker_response, attempts, received_at, completed_at) \
    SELECT id, 'resilient', payload::json, CASE WHEN completed_at IS NULL THEN 'received' ELSE 'done' END, \
        response::json, coalesce(attempts, 0), received_at, completed_at \
    FROM entry \
    ON CONFLICT (id) DO UPDATE SET status = 'done', worker_response = EXCLUDED.worker_response, \
        attempts = requests.attempts + EXCLUDED.attempts, completed_at = EXCLUDED.completed_at, lease_until = NULL \
    WHERE requests.status = 'received' AND EXCLUDED.status = 'done'";
/// Without what may have been the reason.
const REFUSE: &str = "WITH keyed AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT $4, $1 WHERE $4::text IS NOT NULL \
        ON CONFLICT (key) DO NOTHING \
    ) \
    INSERT INTO requests (id, origin, status, error, received_at, completed_at) \
    VALUES ($1, 'resilient', 'failed', $2, $3, now()) \
    ON CONFLICT (id) DO UPDATE SET status = 'failed', error = EXCLUDED.error, completed_at = now(), lease_until = NULL \
    WHERE requests.status = 'received'";

impl Store {
    /// Records all of `entries`, or none.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn replay(&self, entries: &[Entry]) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let ends = || entries.iter().map(|entry| entry.end.as_ref());
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let keys: Vec<Option<&str>> = entries.iter().map(|entry| entry.key.as_deref()).collect();
        let payloads: Vec<Option<&str>> = entries
            .iter()
            .map(|entry| entry.payload.as_deref().map(RawValue::get))
            .collect();
        let received: Vec<Timestamp> = entries.iter().map(|entry| entry.received_at).collect();
        let responses: Vec<Option<&str>> = ends()
            .map(|end| end.map(|end| end.response.get()))
            .collect();
        let attempts: Vec<Option<i32>> = ends()
            .map(|end| end.map(|end| i32::try_from(end.attempts).unwrap_or(i32::MAX)))
            .collect();
        let completed: Vec<Option<Timestamp>> =
            ends().map(|end| end.map(|end| end.completed_at)).collect();
        let outcome = async {
            let statement = session.prepare_cached(REPLAY).await?;
            session
                .execute(
                    &statement,
                    &[
                        &ids, &keys, &payloads, &received, &responses, &attempts, &completed,
                    ],
                )
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }

    /// Records that the database refuses `entry` for good: as failed, with `error`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn refuse(&self, entry: &Entry, error: &str) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(REFUSE).await?;
            session
                .execute(
                    &statement,
                    &[&entry.id, &error, &entry.received_at, &entry.key],
                )
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }
}
