//! The schema: numbered migrations, applied at start under a lock, and what of it is missing.
//!
//! Each migration lets the release before it go on running. `db/init.sql` is what all of them come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use holdfast_wire::Schema;
use tokio::time::sleep;
use tokio_postgres::types::{ToSql, Type};

use super::{Attribution, DatabaseError, Session, Sessions, Store};

/// In order; a number is never used again.
const MIGRATIONS: [(i32, &str); 4] = [
    (1, include_str!("../../../../../db/001-base.sql")),
    (2, include_str!("../../../../../db/002-cancel-and-list.sql")),
    (3, include_str!("../../../../../db/003-recovery.sql")),
    (4, include_str!("../../../../../db/004-operator.sql")),
];
/// The lock that replicas which start together take in turn; any number that nobody else uses.
const LOCK: i64 = 0x0686_f6c6_4666_1737;
/// A migration may build an index, so it has no time limit; but while it waits for a lock others wait behind it.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;";
const APPLY: &str = "SET LOCAL lock_timeout = '2s';";
const RECORD: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, applied_at timestamptz \
    NOT NULL DEFAULT now());";
/// What live calls need: one row for each column that is there.
const NEEDED: &str = "SELECT count(*) FROM unnest($1::text[], $2::text[]) AS needed (relation, name) \
    JOIN pg_attribute ON attrelid = to_regclass(relation) AND attname = name AND NOT attisdropped";
const COLUMNS: [(&str, &str); 15] = [
    ("requests", "id"),
    ("requests", "origin"),
    ("requests", "payload"),
    ("requests", "status"),
    ("requests", "worker_response"),
    ("requests", "attempts"),
    ("requests", "error"),
    ("requests", "received_at"),
    ("requests", "completed_at"),
    ("requests", "lease_until"),
    ("requests", "recorded_at"),
    ("result_conflicts", "request_id"),
    ("idempotency_keys", "key"),
    ("idempotency_keys", "request_id"),
    ("schema_migrations", "version"),
];
/// Between two looks while all is well, and while it is not.
const PERIOD: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(1);

/// What is known of the schema. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaWatch(Arc<AtomicU8>);

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No session, or it failed before any migration.
    #[error("the schema cannot be read: {0}")]
    Database(#[from] DatabaseError),
    /// A migration failed; none of it is applied.
    #[error("migration {version} is refused; let the tables' owner run `holdfast-api migrate`")]
    Refused {
        /// Its number.
        version: i32,
        /// What Postgres said.
        source: DatabaseError,
    },
}

impl SchemaWatch {
    /// As last seen.
    #[must_use]
    pub(crate) fn state(&self) -> Schema {
        match self.0.load(Ordering::Relaxed) {
            1 => Schema::Current,
            2 => Schema::Outdated,
            _ => Schema::Unknown,
        }
    }

    fn set(&self, state: Schema) {
        let state = match state {
            Schema::Unknown => 0,
            Schema::Current => 1,
            Schema::Outdated => 2,
        };
        self.0.store(state, Ordering::Relaxed);
    }

    /// Migrates once Postgres can be reached, then looks for ever whether anything is missing. Never in the way of live
    /// calls: over the sessions of `store`, which are others.
    pub(crate) async fn keep_current(self, store: Store) {
        let mut told = None;
        loop {
            let before = self.state();
            let seen = match before {
                Schema::Current => inspect(&store.sessions).await,
                _ => migrate(&store).await.map(|()| Schema::Current),
            };
            let pause = match seen {
                Ok(Schema::Current) => match inspect(&store.sessions).await {
                    Ok(state) => {
                        self.set(state);
                        if state == Schema::Outdated {
                            RETRY
                        } else {
                            PERIOD
                        }
                    }
                    Err(_) => RETRY,
                },
                Ok(state) => {
                    self.set(state);
                    RETRY
                }
                Err(MigrationError::Refused { version, source }) => {
                    self.set(Schema::Outdated);
                    if told != Some(version) {
                        told = Some(version);
                        tracing::error!(version, error = %source, "a migration is refused");
                    }
                    PERIOD
                }
                Err(MigrationError::Database(_)) => RETRY,
            };
            if before != self.state() {
                tracing::info!(schema = self.state().as_str(), "schema");
            }
            sleep(pause).await;
        }
    }
}

/// Applies what is missing, one transaction for each migration; replicas take turns.
///
/// # Errors
/// See [`MigrationError`].
pub(crate) async fn migrate(store: &Store) -> Result<(), MigrationError> {
    let session = store.sessions.acquire().await?;
    let outcome = apply(&session).await;
    match outcome {
        Ok(()) => Ok(session.finish(Ok(()))?),
        Err((version, error)) => {
            let source = session.finish::<()>(Err(error)).err();
            match (version, source) {
                (Some(version), Some(source)) => Err(MigrationError::Refused { version, source }),
                (_, Some(source)) => Err(source.into()),
                (_, None) => Ok(()),
            }
        }
    }
}

async fn apply(session: &Session) -> Result<(), (Option<i32>, tokio_postgres::Error)> {
    let database = |error| (None, error);
    let applied = applied(session).await.map_err(database)?;
    for (version, migration) in MIGRATIONS {
        if applied.contains(&version) {
            continue;
        }
        // Looked at again under the lock: another replica may have been first.
        let begin = format!("{BEGIN} SELECT pg_advisory_xact_lock({LOCK}); {APPLY} {RECORD}");
        let written = async {
            session.batch_execute(&begin).await?;
            if !self::applied(session).await?.contains(&version) {
                let record = format!("INSERT INTO schema_migrations (version) VALUES ({version});");
                session.batch_execute(migration).await?;
                session.batch_execute(&record).await?;
                tracing::info!(version, "migrated the schema");
            }
            session.batch_execute("COMMIT").await
        }
        .await;
        if let Err(error) = written {
            // Without effect where the session is gone.
            let _ = session.batch_execute("ROLLBACK").await;
            let attribution = Attribution::of(&error);
            let refused = !matches!(attribution, Attribution::Server | Attribution::Lock);
            return Err((refused.then_some(version), error));
        }
    }
    Ok(())
}

async fn applied(session: &Session) -> Result<Vec<i32>, tokio_postgres::Error> {
    let there = session
        .query_typed_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[])
        .await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(vec![]);
    }
    let rows = session
        .query_typed("SELECT version FROM schema_migrations", &[])
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn inspect(sessions: &Sessions) -> Result<Schema, MigrationError> {
    let session = sessions.acquire().await?;
    let (relations, names): (Vec<&str>, Vec<&str>) = COLUMNS.into_iter().unzip();
    let outcome = async {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&relations, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)];
        let there = session.query_typed_one(NEEDED, &parameters).await?;
        let applied = applied(&session).await?;
        let all_applied = MIGRATIONS
            .iter()
            .all(|(version, _)| applied.contains(version));
        let all_there = usize::try_from(there.try_get::<_, i64>(0)?) == Ok(COLUMNS.len());
        Ok(match all_applied && all_there {
            true => Schema::Current,
            false => Schema::Outdated,
        })
    }
    .await;
    Ok(session.finish(outcome)?)
}
