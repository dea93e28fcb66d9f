//! Requests that carry an `Idempotency-Key`: one request per key, whoever asks first.
//!
//! Key and request are committed together, so a key never stands for a request that is not there. Who comes second waits
//! for the first one's commit (the unique index sees to it) and then reads what it stands for.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::DatabaseError;
use super::{Origin, Store};
use crate::process::{Known, Receipt, Standing};

const INSERT: &str = "WITH taken AS ( \
        INSERT INTO idempotency_keys (key, request_id) VALUES ($5, $1) ON CONFLICT (key) DO NOTHING RETURNING key \
    ) \
    INSERT INTO requests (id, origin, payload, lease_until) \
    SELECT $1, $2, $3, now() + make_interval(secs => $4) FROM taken \
    ON CONFLICT (id) DO NOTHING";
/// What somebody else than the service left behind; the service deletes both in one statement. Key and request are
/// committed together, so whoever sees a key without its request sees a key that stands for nothing.
const FREE: &str = "DELETE FROM idempotency_keys WHERE key = $1 \
    AND NOT EXISTS (SELECT FROM requests WHERE id = request_id)";
/// `json` keeps the text as it was received, so bodies are compared as texts.
const BY_KEY: &str = "SELECT id, status, worker_response, attempts, error, lease_until > now() AS held, \
        payload::text IS NOT DISTINCT FROM $2 AS same_body \
    FROM idempotency_keys JOIN requests ON id = request_id WHERE key = $1";
const BY_ID: &str = "SELECT id, status, worker_response, attempts, error, lease_until > now() AS held, \
        true AS same_body \
    FROM requests WHERE id = $1";

impl Store {
    /// Records that `id` was received with `payload` under `key`, and belongs to the caller for `lease`, unless the key
    /// stands for another request.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn insert_keyed(
        &self,
        id: Uuid,
        key: &str,
        payload: Option<&RawValue>,
        lease: Duration,
    ) -> Result<Receipt, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let origin = Origin::Resilient.as_str();
        let lease = lease.as_secs_f64();
        let outcome = async {
            let insert = session.prepare_cached(INSERT).await?;
            let inserted = session
                .execute(
                    &insert,
                    &[&id, &origin, &payload.map(Json), &Some(lease), &key],
                )
                .await?;
            if inserted > 0 {
                return Ok(Some(Receipt::Ours));
            }
            let by_key = session.prepare_cached(BY_KEY).await?;
            let body = payload.map(RawValue::get);
            let row = session.query_opt(&by_key, &[&key, &body]).await?;
            let known = row.as_ref().map(known).transpose()?;
            if known.is_none() {
                let free = session.prepare_cached(FREE).await?;
                session.execute(&free, &[&key]).await?;
            }
            // Under our own id: an earlier attempt of ours was committed although we did not hear of it.
            Ok(known.map(|known| {
                if known.id == id {
                    Receipt::Ours
                } else {
                    Receipt::Known(known)
                }
            }))
        }
        .await;
        session.finish(outcome)?.ok_or(DatabaseError::KeyGone)
    }

    /// How far the request `id` is, if there is one.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn look(&self, id: Uuid) -> Result<Option<Known>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(BY_ID).await?;
            let row = session.query_opt(&statement, &[&id]).await?;
            row.as_ref().map(known).transpose()
        }
        .await;
        session.finish(outcome)
    }
}

fn known(row: &Row) -> Result<Known, tokio_postgres::Error> {
    let status: &str = row.try_get("status")?;
    let response: Option<Json<Value>> = row.try_get("worker_response")?;
    let error: Option<String> = row.try_get("error")?;
    let held: Option<bool> = row.try_get("held")?;
    Ok(Known {
        id: row.try_get("id")?,
        same_body: row.try_get("same_body")?,
        standing: match status {
            "done" => Standing::Done(response.map_or(Value::Null, |Json(value)| value)),
            "failed" => Standing::Failed(error.unwrap_or_default()),
            _ if held == Some(true) => Standing::Running,
            _ => Standing::Waiting,
        },
    })
}
