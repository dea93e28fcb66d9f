//! What of the schema is seen.

use holdfast_wire::Schema;

use super::*;
use crate::store::MigrationError;
use crate::store::schema::{inspect, migrate};

#[tokio::test]
async fn a_column_that_is_missing_is_seen_whichever_it_is() {
    let (_cluster, store, _live) = store().await;
    let session = store.sessions.acquire().await.unwrap();
    let all = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'";
    let columns = session.query_typed(all, &[]).await.unwrap();
    assert!(columns.len() > 20, "{}", columns.len());
    for column in columns {
        let [table, column]: [String; 2] = [column.get(0), column.get(1)];
        let rename = format!("ALTER TABLE {table} RENAME COLUMN {column} TO missing");
        session.batch_execute(&rename).await.unwrap();
        let seen = inspect(&store.sessions).await;
        assert_eq!(seen.ok(), Some(Schema::Outdated), "{table}.{column}");
        let rename = format!("ALTER TABLE {table} RENAME COLUMN missing TO {column}");
        session.batch_execute(&rename).await.unwrap();
        assert_eq!(inspect(&store.sessions).await.unwrap(), Schema::Current);
    }
}

#[tokio::test]
async fn a_schema_that_lacks_a_migration_or_has_one_of_a_later_release_is_seen() {
    let (_cluster, store, _live) = store().await;
    let session = store.sessions.acquire().await.unwrap();
    for (other, back) in [
        (
            "DELETE FROM schema_migrations WHERE version = 2",
            "INSERT INTO schema_migrations VALUES (2)",
        ),
        (
            "INSERT INTO schema_migrations VALUES (1000)",
            "DELETE FROM schema_migrations WHERE version = 1000",
        ),
    ] {
        session.batch_execute(other).await.unwrap();
        assert_eq!(
            inspect(&store.sessions).await.unwrap(),
            Schema::Outdated,
            "{other}"
        );
        session.batch_execute(back).await.unwrap();
        assert_eq!(inspect(&store.sessions).await.unwrap(), Schema::Current);
    }
}

#[tokio::test]
async fn a_migration_that_meets_a_long_transaction_lets_go_at_once_and_names_it() {
    let (cluster, store, live) = store().await;
    let (sql, mut other) = (sql(&cluster).await, sql(&cluster).await);
    let again = "DELETE FROM schema_migrations WHERE version = 3";
    sql.batch_execute(again).await.unwrap();
    let name = "SET application_name = 'a long report'";
    other.batch_execute(name).await.unwrap();
    let report = other.transaction().await.unwrap();
    let read = "SELECT count(*) FROM requests";
    report.query_one(read, &[]).await.unwrap();
    let started = tokio::time::Instant::now();
    let waits = Duration::from_millis(50);
    let (migrated, ()) = tokio::join!(migrate(&store, waits), insert(&live, Uuid::now_v7()));
    assert!(started.elapsed() < Duration::from_secs(1), "{started:?}");
    match migrated {
        Err(MigrationError::Locked { version, holders }) => {
            assert_eq!(version, 3);
            assert!(holders[0].ends_with("(a long report)"), "{holders:?}");
        }
        other => panic!("{other:?}"),
    }
    report.rollback().await.unwrap();
    migrate(&store, waits).await.unwrap();
    assert_eq!(inspect(&store.sessions).await.unwrap(), Schema::Current);
}
