//! What brings the schema up to date: each numbered file in turn, by one replica at a time.
//!
//! What can be undone together is one transaction. An index of a table that may be large is built beside the calls that
//! write to it, which Postgres only does outside a transaction: such statements stand last in their file, idempotent, and
//! the file counts as applied after them.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{ToSql, Type};

use super::{MIGRATIONS, applied};
use crate::store::{Attribution, DatabaseError, Session, Store};

/// The lock that replicas which start together take in turn; any number that nobody else uses.
const LOCK: i64 = 0x0686_f6c6_4666_1737;
/// Whose migration is under way is asked again after it. Nobody waits inside a statement: an index that is built beside
/// running calls waits for each statement that began before it, so the two would wait for each other.
const ASK_AGAIN: Duration = Duration::from_millis(500);
const BEGIN_LOCK: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0;";
/// While a migration waits for a lock others wait behind it.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '2s'; \
    CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());";
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
    /// A migration failed; none of it is applied, but for indexes, which are taken up again.
    #[error("migration {version} is refused; let the tables' owner run `holdfast-api migrate`")]
    Refused {
        /// Its number.
        version: i32,
        /// What Postgres said.
        source: DatabaseError,
    },
}

/// A failed statement, and the migration that Postgres refused, if it did.
type Failed = (Option<i32>, tokio_postgres::Error);

/// Applies what is missing, by two sessions of `store`; replicas take turns.
///
/// # Errors
/// See [`MigrationError`].
pub(crate) async fn migrate(store: &Store) -> Result<(), MigrationError> {
    let session = store.sessions.acquire().await?;
    let outcome = applied(&session).await.map(|it| all_of(&it));
    if session.finish(outcome)? {
        return Ok(());
    }
    let lock = store.sessions.acquire().await?;
    let outcome = take_turn(&lock).await;
    if let Err(error) = outcome {
        return Ok(lock.finish(Err(error))?);
    }
    let session = store.sessions.acquire().await?;
    let pooled = store.sessions.are_a_poolers();
    let outcome = apply_missing(&session, pooled).await;
    let ended = lock.batch_execute("ROLLBACK").await;
    // A session that is gone has let go of the lock.
    let _ = lock.finish(ended);
    match outcome {
        Ok(()) => Ok(session.finish(Ok(()))?),
        Err((refused, error)) => match (refused, session.finish::<()>(Err(error))) {
            (Some(version), Err(source)) => Err(MigrationError::Refused { version, source }),
            (_, other) => Ok(other?),
        },
    }
}

fn all_of(applied: &[i32]) -> bool {
    MIGRATIONS.iter().all(|(it, _)| applied.contains(it))
}

/// Until it ends, no other replica migrates: the lock is held by a transaction, for a pooler gives the session away between
/// two of them.
async fn take_turn(session: &Session) -> Result<(), tokio_postgres::Error> {
    session.batch_execute(BEGIN_LOCK).await?;
    // As plain text: what is asked with parameters stays open until the transaction's next statement, with its snapshot, and
    // an index that is built beside running calls waits for each of those.
    let take = format!("SELECT pg_try_advisory_xact_lock({LOCK}) AS taken");
    while !is_true(&session.simple_query(&take).await?) {
        sleep(ASK_AGAIN).await;
    }
    Ok(())
}

fn is_true(answer: &[SimpleQueryMessage]) -> bool {
    answer.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
        _ => false,
    })
}

async fn apply_missing(session: &Session, pooled: bool) -> Result<(), Failed> {
    // Looked at under the lock: another replica may have been first.
    let applied = applied(session).await.map_err(|error| (None, error))?;
    for (version, migration) in MIGRATIONS {
        if applied.contains(&version) {
            continue;
        }
        if let Err(error) = apply(session, version, migration, pooled).await {
            let attribution = Attribution::of(&error);
            let refused = !matches!(attribution, Attribution::Server | Attribution::Lock);
            return Err((refused.then_some(version), error));
        }
        tracing::info!(version, "migrated the schema");
    }
    Ok(())
}

async fn apply(
    session: &Session,
    version: i32,
    migration: &str,
    pooled: bool,
) -> Result<(), tokio_postgres::Error> {
    let (together, alone) = migration.split_once(ALONE).unwrap_or((migration, ""));
    let record = format!("INSERT INTO schema_migrations (version) VALUES ({version})");
    let transaction = async {
        session.batch_execute(BEGIN).await?;
        session.batch_execute(together).await?;
        if alone.is_empty() {
            session.batch_execute(&record).await?;
        }
        session.batch_execute("COMMIT").await
    };
    if let Err(error) = transaction.await {
        // Without effect where the session is gone.
        let _ = session.batch_execute("ROLLBACK").await;
        return Err(error);
    }
    if alone.is_empty() {
        return Ok(());
    }
    // Behind a pooler the next statement's session may be another: there the limits are the role's own.
    if !pooled {
        session.batch_execute(UNLIMITED).await?;
    }
    let built = each_alone(session, alone).await;
    if !pooled {
        let _ = session.batch_execute(LIMITED).await;
    }
    built?;
    session.batch_execute(&record).await
}

async fn each_alone(session: &Session, statements: &str) -> Result<(), tokio_postgres::Error> {
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
