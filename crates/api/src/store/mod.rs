//! The requests in Postgres. The only place that speaks SQL.
//!
//! Every write may be repeated: an insert ignores a row that is there, an update touches unfinished rows only, so the
//! first recorded result wins. No policy here; the naive and the resilient side use the same statements over pools of
//! their own.

mod keys;
mod open;
mod reads;
mod replay;
mod retention;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::types::Json;
use uuid::Uuid;

pub(crate) use self::open::{Claimed, Given};
pub(crate) use self::reads::Filter;
pub(crate) use crate::postgres::DatabaseError;
use crate::postgres::{Sessions, Usage};

/// The lease is on the database's clock; no lease (null) for the naive side, which nobody recovers.
const INSERT: &str = "INSERT INTO requests (id, origin, payload, lease_until) \
    VALUES ($1, $2, $3, now() + make_interval(secs => $4)) ON CONFLICT (id) DO NOTHING";
const COMPLETE: &str = "UPDATE requests \
    SET status = 'done', worker_response = $2, attempts = attempts + $3, completed_at = now(), lease_until = NULL \
    WHERE id = $1 AND status = 'received'";
const RELEASE: &str =
    "UPDATE requests SET lease_until = NULL WHERE id = $1 AND status = 'received'";

/// Which endpoint a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The course's endpoint.
    Naive,
    /// The resilient endpoint.
    Resilient,
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Resilient => "resilient",
        }
    }
}

/// The table `requests`, over one pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    sessions: Sessions,
}

impl Store {
    /// The statements over `sessions`.
    #[must_use]
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }

    /// How full its pool is now.
    #[must_use]
    pub(crate) fn usage(&self) -> Usage {
        self.sessions.usage()
    }

    /// Records that `id` was received with `payload`, and belongs to the caller for `lease`. A row that is there already
    /// is left as it is.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn insert(
        &self,
        id: Uuid,
        origin: Origin,
        payload: Option<&RawValue>,
        lease: Option<Duration>,
    ) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let lease = lease.map(|lease| lease.as_secs_f64());
        let outcome = async {
            let statement = session.prepare_cached(INSERT).await?;
            session
                .execute(
                    &statement,
                    &[&id, &origin.as_str(), &payload.map(Json), &lease],
                )
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }

    /// Records the worker's `response` and after how many `attempts` it came, unless `id` is finished already.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn complete(
        &self,
        id: Uuid,
        response: &Value,
        attempts: u32,
    ) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
        let outcome = async {
            let statement = session.prepare_cached(COMPLETE).await?;
            session
                .execute(&statement, &[&id, &Json(response), &attempts])
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }

    /// Gives `id` back, if it is open: whoever comes may claim it.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn release(&self, id: Uuid) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(RELEASE).await?;
            session.execute(&statement, &[&id]).await
        }
        .await;
        session.finish(outcome).map(drop)
    }
}
