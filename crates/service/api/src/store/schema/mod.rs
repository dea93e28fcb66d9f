//! The schema: numbered migrations, applied at start under a lock, and what of it is missing.
//!
//! Each migration lets the release before it go on running. `db/init.sql` is what all of them come to.

mod locked;
mod migrate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use holdfast_wire::Schema;
use tokio::time::sleep;
use tokio_postgres::types::{ToSql, Type};

use self::locked::LockPauses;
pub(in crate::store) use self::migrate::migrate;
pub(crate) use self::migrate::{MigrationError, migrate_patiently};
use super::{Session, Sessions, Store};
use crate::causes::chain;

/// In order; a number is never used again.
const MIGRATIONS: [(i32, &str); 4] = [
    (1, include_str!("../../../../../../db/001-base.sql")),
    (
        2,
        include_str!("../../../../../../db/002-cancel-and-list.sql"),
    ),
    (3, include_str!("../../../../../../db/003-recovery.sql")),
    (4, include_str!("../../../../../../db/004-operator.sql")),
];
/// One row for each of these columns that is there.
const THERE: &str = "SELECT count(*) FROM unnest($1::text[], $2::text[]) AS needed (relation, name) \
    JOIN pg_attribute ON attrelid = to_regclass(relation) AND attname = name AND NOT attisdropped";
/// All that the migrations come to.
const TABLES: [(&str, &[&str]); 5] = [
    (
        "requests",
        &[
            "id",
            "origin",
            "payload",
            "status",
            "worker_response",
            "attempts",
            "error",
            "received_at",
            "completed_at",
            "lease_until",
            "recorded_at",
        ],
    ),
    ("idempotency_keys", &["key", "request_id", "created_at"]),
    (
        "result_conflicts",
        &[
            "request_id",
            "kept",
            "kept_at",
            "other",
            "other_error",
            "other_at",
            "noticed_at",
        ],
    ),
    ("requeue_orders", &["status", "ordered_at", "moved_at"]),
    ("schema_migrations", &["version", "applied_at"]),
];
/// Between two looks while all is well, and while it is not.
const PERIOD: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(1);

/// What is known of the schema. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaWatch(Arc<AtomicU8>);

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
    /// calls: over the sessions of `store`, which are others, and behind nobody's lock for longer than `lock_wait`.
    pub(crate) async fn keep_current(self, store: Store, lock_wait: Duration) {
        let mut setbacks = Setbacks::default();
        loop {
            let before = self.state();
            let pause = setbacks.pause(self.look(&store, lock_wait).await);
            if before != self.state() {
                tracing::info!(schema = self.state().as_str(), "schema");
            }
            sleep(pause).await;
        }
    }

    /// Looks, and migrates where anything is missing. What is missing shows meanwhile: an index takes its time.
    async fn look(&self, store: &Store, lock_wait: Duration) -> Result<Schema, MigrationError> {
        let seen = inspect(&store.sessions).await?;
        self.set(seen);
        if seen == Schema::Current {
            return Ok(seen);
        }
        migrate(store, lock_wait).await?;
        let seen = inspect(&store.sessions).await?;
        self.set(seen);
        Ok(seen)
    }
}

/// What has kept the schema from being current.
#[derive(Default)]
struct Setbacks {
    /// The migration that was refused, and the log says so.
    told: Option<i32>,
    locked: LockPauses,
}

impl Setbacks {
    /// How long until the next look, after one that ended so.
    fn pause(&mut self, looked: Result<Schema, MigrationError>) -> Duration {
        if let Err(error @ MigrationError::Locked { .. }) = looked {
            tracing::warn!("{error}");
            return self.locked.next(fastrand::f64());
        }
        self.locked.over();
        match looked {
            Ok(Schema::Current) => PERIOD,
            Ok(_) => RETRY,
            Err(error) if error.version().is_none() => RETRY,
            Err(error) => {
                let version = error.version();
                if self.told != version {
                    self.told = version;
                    tracing::error!(version, error = chain(&error), "a migration is refused");
                }
                PERIOD
            }
        }
    }
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

/// Whether the schema is this release's: each table whole, each migration applied, and none of a later release.
pub(super) async fn inspect(sessions: &Sessions) -> Result<Schema, MigrationError> {
    let session = sessions.acquire().await?;
    let columns = TABLES
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |it| (*table, *it)));
    let (tables, columns): (Vec<&str>, Vec<&str>) = columns.unzip();
    let outcome = async {
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&tables, Type::TEXT_ARRAY), (&columns, Type::TEXT_ARRAY)];
        let there = session.query_typed_one(THERE, &parameters).await?;
        if usize::try_from(there.try_get::<_, i64>(0)?) != Ok(columns.len()) {
            return Ok(Schema::Outdated);
        }
        let mut applied = applied(&session).await?;
        applied.sort_unstable();
        let ours = MIGRATIONS.iter().map(|(version, _)| version);
        Ok(match applied.iter().eq(ours) {
            true => Schema::Current,
            false => Schema::Outdated,
        })
    }
    .await;
    Ok(session.finish(outcome)?)
}
