//! The requests in Postgres. The only place that speaks SQL.
//!
//! Every write may be repeated: an insert ignores a row that is there, an update touches unfinished rows only, so the
//! first recorded result wins. No policy here; the naive and the resilient side use the same statements over pools of
//! their own.

mod error;
mod live;
mod manager;
mod open;
mod reads;
mod replay;
mod retention;
mod schema;
mod session;
#[cfg(test)]
mod tests;

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Pool, Timeouts};
use holdfast_wire::JsonText;
use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio_postgres::types::Json;
use uuid::Uuid;

pub(crate) use self::error::DatabaseError;
pub(crate) use self::live::{FlushMetrics, LiveMetrics, LiveStore};
use self::manager::SessionManager;
pub(crate) use self::open::{Claimed, FailureOutcome};
pub(crate) use self::reads::{Filter, ReadStore};
pub(crate) use self::schema::SchemaWatch;
use self::session::{Session, Sessions};
use crate::config::DatabasePolicy;
use crate::resolver::Resolver;

/// How much later than the caller Postgres ends a statement by itself. Never before: a commit that is cut short in its
/// wait for a standby looks like one that was confirmed.
const BACKSTOP: Duration = Duration::from_millis(250);
/// The part of a statement's time that it may wait for one lock: enough is left to do without the row.
const LOCK_SHARE: u32 = 4;

/// Without a lease: nobody recovers what the naive endpoint left.
const INSERT_NAIVE: &str = "INSERT INTO requests (id, origin, payload) VALUES ($1, 'naive', $2) \
    ON CONFLICT (id) DO NOTHING";
const COMPLETE: &str = "UPDATE requests \
    SET status = 'done', worker_response = $2::text::json, attempts = attempts + $3, completed_at = now(), \
        lease_until = NULL \
    WHERE id = $1 AND status = 'received'";

/// What one user of the database has of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// How Postgres shows its sessions, after `holdfast`.
    pub name: &'static str,
    /// Sessions at most.
    pub sessions: u32,
    /// Time for one statement, in whole milliseconds.
    pub statement_limit: Duration,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Sessions on loan, those included that are being retired.
    pub in_use: u32,
    /// Sessions that wait to be used.
    pub idle: u32,
    /// Sessions at most.
    pub limit: u32,
    /// Calls that wait for one.
    pub waiting: u32,
}

/// The table `requests`, over one pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    sessions: Sessions,
}

impl Store {
    /// A store whose waits all end: for a session, for a connection, for a statement.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub(crate) fn resilient(
        database: &tokio_postgres::Config,
        policy: &DatabasePolicy,
        share: Share,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let mut database = database.clone();
        database.application_name(format!("holdfast {}", share.name));
        let limit = (share.statement_limit + BACKSTOP).as_millis();
        let lock_limit = (share.statement_limit / LOCK_SHARE).as_millis().max(1);
        database.options(with_option(
            &database,
            &format!("-c statement_timeout={limit} -c lock_timeout={lock_limit}"),
        ));
        let timeouts = Timeouts {
            wait: Some(policy.pool.max_wait),
            create: Some(policy.connect_timeout),
            recycle: Some(policy.connect_timeout),
        };
        Self::build(database, share.sessions, timeouts, resolver, runtime)
    }

    /// A store that waits for as long as it takes.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub(crate) fn naive(
        database: &tokio_postgres::Config,
        max_size: u32,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let mut database = database.clone();
        database.application_name("holdfast naive");
        Self::build(database, max_size, Timeouts::default(), resolver, runtime)
    }

    fn build(
        database: tokio_postgres::Config,
        max_size: u32,
        timeouts: Timeouts,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, DatabaseError> {
        let manager = SessionManager::new(database, resolver, runtime.clone());
        let pool = Pool::builder(manager)
            .max_size(max_size as usize)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| DatabaseError::Pool(error.to_string()))?;
        Ok(Self {
            sessions: Sessions::new(pool, runtime),
        })
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

/// The session options of `database` with one more.
fn with_option(database: &tokio_postgres::Config, option: &str) -> String {
    match database.get_options() {
        Some(options) => format!("{options} {option}"),
        None => option.to_owned(),
    }
}
