//! What brings the schema up to date: each numbered file in turn, by one replica at a time.
//!
//! What can be undone together is one transaction. An index of a table that may be large is built beside the calls that
//! write to it, which Postgres only does outside a transaction: such statements stand last in their file, bear to be repeated,
//! and the file counts as applied after them.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{ToSql, Type};

use super::locked::{LockPauses, holders};
use super::{MIGRATIONS, applied};
use crate::store::{Attribution, DatabaseError, Session, Store};

/// The lock that replicas which start together take in turn; any number that nobody else uses.
const LOCK: i64 = 0x0686_f6c6_4666_1737;
/// Whose migration is under way is asked again after it. Nobody waits inside a statement: an index that is built beside
/// running calls waits for each statement that began before it, so the two would wait for each other.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// While a migration waits for a lock, others wait behind it: so the shortest that live calls are given by default.
const LOCK_WAIT: Duration = Duration::from_millis(50);
const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";
/// An index takes as long as it takes, and nobody waits behind it.
const UNLIMITED: &str = "SET statement_timeout = 0; SET lock_timeout = 0";
/// To what the session began with.
const LIMITED: &str = "RESET statement_timeout; RESET lock_timeout";
/// What follows it in a migration's file are statements on their own.
const ALONE: &str = "-- Outside a transaction:";
const CREATE_INDEX: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ";
/// Whether an index is what an earlier try left of it.
const HALF_BUILT: &str =
    "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass($1::text) AND NOT indisvalid";

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No session, or it failed before any migration.
    #[error("the schema cannot be read: {0}")]
    Database(#[from] DatabaseError),
    /// A migration did not get its lock; none of it is applied, and it is tried again.
    #[error("migration {version} waits for a lock on its tables, on which have one: {}", .holders.join(", "))]
    Locked {
        /// Its number.
        version: i32,
        /// Those who hold one.
        holders: Vec<String>,
    },
    /// A migration failed; none of it is applied.
    #[error("migration {version} is refused; let the tables' owner run `holdfast-api migrate`")]
    Refused {
        /// Its number.
        version: i32,
        /// What Postgres said.
        source: DatabaseError,
    },
    /// Its indexes are missing, or some of them; they are taken up again.
    #[error("an index of migration {version} is not built")]
    Unbuilt {
        /// Its number.
        version: i32,
        /// What Postgres said.
        source: DatabaseError,
    },
    /// Nobody can hold the replicas' lock while an index is built.
    #[error(
        "migration {version} builds an index, which cannot be done through a pooler in transaction mode; \
         run `holdfast-api migrate` straight at Postgres"
    )]
    Pooled {
        /// Its number.
        version: i32,
    },
}

impl MigrationError {
    /// The migration that does not get on; none: the database did not answer.
    pub(super) fn version(&self) -> Option<i32> {
        match self {
            Self::Database(_) => None,
            Self::Locked { version, .. }
            | Self::Refused { version, .. }
            | Self::Unbuilt { version, .. }
            | Self::Pooled { version } => Some(*version),
        }
    }
}

/// What stopped a migration, before it is known whether its session is sound.
enum Stop {
    Database(tokio_postgres::Error),
    Locked(i32, Vec<String>),
    Refused(i32, tokio_postgres::Error),
    Unbuilt(i32, tokio_postgres::Error),
    Pooled(i32),
}

/// The same, again and again where a lock is not to be had.
///
/// # Errors
/// See [`MigrationError`].
pub(crate) async fn migrate_patiently(store: &Store) -> Result<(), MigrationError> {
    let mut pauses = LockPauses::default();
    loop {
        match migrate(store, LOCK_WAIT).await {
            Err(locked @ MigrationError::Locked { .. }) => {
                tracing::warn!("{locked}");
                sleep(pauses.next(fastrand::f64())).await;
            }
            ended => return ended,
        }
    }
}

/// Applies what is missing; replicas take turns. No lock on a table is waited for longer than `lock_wait`.
///
/// # Errors
/// See [`MigrationError`].
pub(in crate::store) async fn migrate(
    store: &Store,
    lock_wait: Duration,
) -> Result<(), MigrationError> {
    let session = store.sessions.acquire().await?;
    let pooled = store.sessions.are_a_poolers();
    let stop = match in_turn(&session, pooled, lock_wait).await {
        Ok(()) => return Ok(session.finish(Ok(()))?),
        Err(stop) => stop,
    };
    match stop {
        Stop::Database(error) => Ok(session.finish(Err(error))?),
        Stop::Locked(version, holders) => {
            session.finish(Ok(()))?;
            Err(MigrationError::Locked { version, holders })
        }
        Stop::Refused(version, error) => {
            let failed = session.finish(Err(error));
            failed.map_err(|source| MigrationError::Refused { version, source })
        }
        Stop::Unbuilt(version, error) => {
            let failed = session.finish(Err(error));
            failed.map_err(|source| MigrationError::Unbuilt { version, source })
        }
        Stop::Pooled(version) => {
            session.finish(Ok(()))?;
            Err(MigrationError::Pooled { version })
        }
    }
}

async fn in_turn(session: &Session, pooled: bool, lock_wait: Duration) -> Result<(), Stop> {
    if missing(session).await?.is_empty() {
        return Ok(());
    }
    // The session's own lock: it lasts as long as Postgres works for the session, also where the replica is gone meanwhile. A
    // pooler gives the session away between two transactions, so each of these takes the lock for itself.
    if !pooled {
        let take = format!("SELECT pg_try_advisory_lock({LOCK})");
        while !is_true(&session.simple_query(&take).await?) {
            sleep(ASK_AGAIN).await;
        }
    }
    let outcome = apply_missing(session, pooled, lock_wait).await;
    if !pooled {
        // Without effect where the session is gone, and the lock with it.
        let release = format!("SELECT pg_advisory_unlock({LOCK})");
        let _ = session.batch_execute(&release).await;
    }
    outcome
}

/// Looked at before and under the lock: another replica may have been first.
async fn missing(session: &Session) -> Result<Vec<(i32, &'static str)>, Stop> {
    let applied = applied(session).await?;
    let mut missing = MIGRATIONS.to_vec();
    missing.retain(|(version, _)| !applied.contains(version));
    Ok(missing)
}

async fn apply_missing(session: &Session, pooled: bool, lock_wait: Duration) -> Result<(), Stop> {
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {}; {TABLE}",
        lock_wait.as_millis().max(1)
    );
    for (version, migration) in missing(session).await? {
        let (together, alone) = migration.split_once(ALONE).unwrap_or((migration, ""));
        if pooled && !alone.is_empty() {
            return Err(Stop::Pooled(version));
        }
        let record = format!(
            "INSERT INTO schema_migrations (version) VALUES ({version}) ON CONFLICT DO NOTHING"
        );
        let last = if alone.is_empty() { &record } else { "" };
        if let Err(error) = transaction(session, pooled, [&begin, together, last]).await {
            // Without effect where the session is gone.
            let _ = session.batch_execute("ROLLBACK").await;
            return Err(match Attribution::of(&error) {
                Attribution::Server => Stop::Database(error),
                Attribution::Lock => Stop::Locked(version, holders(session).await?),
                _ => Stop::Refused(version, error),
            });
        }
        if !alone.is_empty() {
            let built = each_alone(session, alone).await;
            let _ = session.batch_execute(LIMITED).await;
            built.map_err(|error| Stop::Unbuilt(version, error))?;
            session.batch_execute(&record).await?;
        }
        tracing::info!(version, "migrated the schema");
    }
    Ok(())
}

async fn transaction(
    session: &Session,
    pooled: bool,
    [begin, parts @ ..]: [&str; 3],
) -> Result<(), tokio_postgres::Error> {
    session.batch_execute(begin).await?;
    if pooled {
        let take = format!("SELECT pg_advisory_xact_lock({LOCK})");
        session.batch_execute(&take).await?;
    }
    for part in parts {
        session.batch_execute(part).await?;
    }
    session.batch_execute("COMMIT").await
}

async fn each_alone(session: &Session, statements: &str) -> Result<(), tokio_postgres::Error> {
    session.batch_execute(UNLIMITED).await?;
    for statement in statements.split(';').map(str::trim) {
        if let Some(index) = statement.strip_prefix(CREATE_INDEX) {
            drop_half_built(session, index.split_whitespace().next().unwrap_or_default()).await?;
        }
        if !statement.is_empty() {
            session.batch_execute(statement).await?;
        }
    }
    Ok(())
}

/// `IF NOT EXISTS` would take what a try that was cut short has left for the index.
async fn drop_half_built(session: &Session, index: &str) -> Result<(), tokio_postgres::Error> {
    let parameters = [(&index as &(dyn ToSql + Sync), Type::TEXT)];
    let half_built = session.query_typed_one(HALF_BUILT, &parameters).await?;
    if half_built.try_get::<_, i64>(0)? > 0 {
        tracing::warn!(index, "dropping what an earlier try left of the index");
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {index}");
        session.batch_execute(&drop).await?;
    }
    Ok(())
}

fn is_true(answer: &[SimpleQueryMessage]) -> bool {
    answer.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
        _ => false,
    })
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}
