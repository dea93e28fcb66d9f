//! The requests in Postgres. The only place that speaks SQL.
//!
//! Every write may be repeated: an insert ignores a row that is there, an update touches unfinished rows only, so the
//! first recorded result wins. No policy here; the naive and the resilient side use the same statements over pools of
//! their own.

mod claim;
mod distrust;
mod grant;
mod listing;
mod live;
mod open;
mod operator;
mod postgres_table;
mod reads;
mod refused;
mod replay;
mod retention;
mod schema;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use holdfast_wire::JsonText;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio_postgres::types::Json;
use uuid::Uuid;

pub(crate) use self::distrust::doubt_when_open;
pub(crate) use self::grant::Wanted;
pub use self::live::{EndRow, Finished, Inserted, NewRow, Written};
pub(crate) use self::live::{FlushMetrics, LiveMetrics, LiveStore};
pub use self::open::{Claimed, CompletedOpen, FailureOutcome, OpenRequest};
pub(crate) use self::operator::{Change, Moved, OperatorStore};
pub(crate) use self::reads::{Filter, ReadStore};
use self::refused::RefusedRows;
pub use self::replay::{Refusal, RefusalKind, Replayed};
pub use self::retention::Forgotten;
pub(crate) use self::schema::{MigrationError, SchemaWatch, migrate_patiently};
pub use self::table::Table;
use crate::config::DatabasePolicy;
pub(crate) use crate::postgres::{Attribution, DatabaseError};
use crate::postgres::{Database, PoolLimits, PoolOptions, Session, Sessions, Usage};
use crate::resolver::Resolver;

/// How much later than the caller Postgres ends a statement by itself. Never before: a commit that is cut short in its
/// wait for a standby looks like one that was confirmed.
const BACKSTOP: Duration = Duration::from_millis(250);
/// The part of a statement's time that it may wait for one lock: enough is left to do without the row.
const LOCK_SHARE: u32 = 8;

/// How long a live statement waits for a lock.
pub(crate) fn lock_wait(policy: &DatabasePolicy) -> Duration {
    policy.attempt_timeout / LOCK_SHARE
}

/// Without a lease: nobody recovers what the naive endpoint left.
const INSERT_NAIVE: &str = "INSERT INTO requests (id, origin, payload) VALUES ($1, 'naive', $2) \
    ON CONFLICT (id) DO NOTHING";
const COMPLETE: &str = "UPDATE requests \
    SET status = 'done', worker_response = $2::text::json, attempts = attempts + $3, completed_at = now(), \
        lease_until = NULL \
    WHERE id = $1 AND status = 'received'";

/// What one user of the database may have of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreOptions {
    /// How Postgres shows its sessions, after `holdfast`.
    pub role: &'static str,
    /// Sessions at most.
    pub max_sessions: u32,
    /// Time for one statement, in whole milliseconds.
    pub statement_limit: Duration,
}

/// The table `requests`, over one pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    sessions: Sessions,
    refused: RefusedRows,
}

impl Store {
    /// A store whose waits all end: for a session, for a connection, for a statement.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub(crate) fn resilient(
        database: &Database,
        policy: &DatabasePolicy,
        options: StoreOptions,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let limits = PoolLimits {
            max_wait: policy.pool.max_wait,
            connect_timeout: policy.connect_timeout,
            statement_limit: options.statement_limit + BACKSTOP,
            lock_limit: options.statement_limit / LOCK_SHARE,
            idle_timeout: policy.pool.idle_timeout,
            max_lifetime: policy.pool.max_lifetime,
        };
        let pool = PoolOptions {
            role: options.role,
            max_size: options.max_sessions,
            limits: Some(limits),
        };
        let sessions = Sessions::new(database, pool, resolver, runtime)?;
        Ok(Self::over(sessions))
    }

    /// A store that waits for as long as it takes.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub(crate) fn naive(
        database: &Database,
        max_size: u32,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let pool = PoolOptions {
            role: "naive",
            max_size,
            limits: None,
        };
        let sessions = Sessions::new(database, pool, resolver, runtime)?;
        Ok(Self::over(sessions))
    }

    fn over(sessions: Sessions) -> Self {
        Self {
            sessions,
            refused: RefusedRows::default(),
        }
    }

    /// How full its pool is now.
    #[must_use]
    pub(crate) fn usage(&self) -> Usage {
        self.sessions.usage()
    }

    /// Records that `id` was received with `payload` by the naive endpoint.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn insert_naive(
        &self,
        id: Uuid,
        payload: Option<&RawValue>,
    ) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(INSERT_NAIVE).await?;
            session
                .execute(&statement, &[&id, &payload.map(Json)])
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
        response: &JsonText,
        attempts: u32,
    ) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
        let outcome = async {
            let statement = session.prepare_cached(COMPLETE).await?;
            session
                .execute(&statement, &[&id, &response.get(), &attempts])
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }
}
