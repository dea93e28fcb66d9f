//! The schema: whole in `db/init.sql`, step by step in the numbered files beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_ops::Environment;
use holdfast_testbed::postgres::Cluster;
use holdfast_wire::Schema;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls};

use crate::support::{Api, System};

fn db() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../db")
}

/// The numbered files, in order.
fn migrations() -> Vec<String> {
    let numbered = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(|first: char| first.is_ascii_digit())
    };
    let files = fs::read_dir(db()).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> = files.filter(numbered).collect();
    files.sort();
    files
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

async fn connect(cluster: &Cluster, database: &str) -> Client {
    let url = cluster.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let (client, connection) = tokio_postgres::connect(&format!("{server}/{database}"), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// Tables, columns, constraints and indexes, as Postgres tells them.
async fn described(client: &Client) -> Vec<String> {
    let catalogue = "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) \
            FROM information_schema.columns WHERE table_schema = 'public' \
        UNION ALL SELECT replace(pg_get_constraintdef(oid), ' NOT VALID', '') || conrelid::regclass \
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
    let rows = client.query(catalogue, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn the_numbered_files_come_to_what_init_sql_says() {
    let initialised = Cluster::start().await.unwrap();
    let whole = connect(&initialised, "holdfast").await;
    let cluster = Cluster::start().await.unwrap();
    let stepwise = connect(&cluster, "holdfast").await;
    let nothing = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    stepwise.batch_execute(nothing).await.unwrap();
    // From nothing at all, by the API itself.
    let system = System::owning(cluster).await;
    system
        .api
        .comes_to(|status| status.dependencies.database.schema == Schema::Current)
        .await;
    assert_eq!(described(&stepwise).await, described(&whole).await);
    let version = "SELECT max(version) FROM schema_migrations";
    for client in [&whole, &stepwise] {
        let version: i32 = client.query_one(version, &[]).await.unwrap().get(0);
        assert_eq!(usize::try_from(version).unwrap(), migrations().len());
    }
}

#[tokio::test]
async fn a_database_of_the_first_release_is_migrated_at_start_and_keeps_its_rows() {
    let cluster = Cluster::start().await.unwrap();
    let client = connect(&cluster, "holdfast").await;
    let old = "DROP TABLE schema_migrations; DROP TABLE requests; DROP TABLE idempotency_keys";
    client.batch_execute(old).await.unwrap();
    client.batch_execute(&migrations()[0]).await.unwrap();
    let row = "INSERT INTO requests (id, origin) VALUES ('0198c0de-0000-7000-8000-000000000000', 'resilient')";
    client.batch_execute(row).await.unwrap();

    let system = System::owning(cluster).await;
    system
        .api
        .comes_to(|status| status.dependencies.database.schema == Schema::Current)
        .await;
    let found = system
        .api
        .get("/requests/0198c0de-0000-7000-8000-000000000000")
        .await;
    assert_eq!(found.status(), 200);
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn replicas_that_start_together_migrate_in_turn() {
    let cluster = Cluster::start().await.unwrap();
    let client = connect(&cluster, "holdfast").await;
    let nothing = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    client.batch_execute(nothing).await.unwrap();
    let url = cluster.url();
    let as_owner = Environment::from([("DATABASE_URL", url.as_str())]);
    let migrations = (0..3).map(|_| holdfast_api::migrate(&as_owner));
    for outcome in join_all(migrations).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_column_that_is_missing_is_told() {
    let system = System::start().await;
    let client = connect(&system.cluster, "holdfast").await;
    let drop = "ALTER TABLE requests DROP COLUMN lease_until";
    client.batch_execute(drop).await.unwrap();
    let replica = Api::start(system.api.config.of_a_replica());
    replica
        .comes_to(|status| status.dependencies.database.schema == Schema::Outdated)
        .await;
    let answer = replica.process().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.degraded()[0].reason.as_str(), "schema_outdated");
    let add = "ALTER TABLE requests ADD COLUMN lease_until timestamptz";
    client.batch_execute(add).await.unwrap();
    replica
        .comes_to(|status| status.dependencies.database.schema == Schema::Current)
        .await;
    replica.becomes_healthy().await;
}

/// As the release before the last migration left it.
const WITHOUT_THE_LAST: &str = "DROP TABLE requeue_orders; DROP INDEX requests_given_up; DELETE FROM schema_migrations WHERE version = 4";
const MIGRATED_WITHIN: Duration = Duration::from_secs(10);

async fn migrated(url: String) -> Result<(), holdfast_api::MigrateError> {
    holdfast_api::migrate(&Environment::from([("DATABASE_URL", url.as_str())])).await
}

#[tokio::test]
async fn through_a_pooler_no_index_is_built_and_straight_at_postgres_it_is() {
    let system = System::start().await;
    let owner = connect(&system.cluster, "holdfast").await;
    owner.batch_execute(WITHOUT_THE_LAST).await.unwrap();
    let url = system.cluster.url();
    let refused = migrated(format!("{url}?pgbouncer=true")).await.unwrap_err();
    assert!(
        refused.to_string().contains("straight at Postgres"),
        "{refused}"
    );
    let there = "SELECT to_regclass('requeue_orders') IS NOT NULL AND to_regclass('requests_given_up') IS NOT NULL";
    let complete = async || owner.query_one(there, &[]).await.unwrap().get::<_, bool>(0);
    assert!(!complete().await);
    migrated(url).await.unwrap();
    assert!(complete().await);
}

#[tokio::test]
async fn an_index_is_built_beside_the_calls_that_write_to_its_table() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let owner = connect(&system.cluster, "holdfast").await;
    owner.batch_execute(WITHOUT_THE_LAST).await.unwrap();
    // A write that somebody forgot to commit: an index waits for it, and a lock on the table would wait too, before all others.
    let mut forgetful = connect(&system.cluster, "holdfast").await;
    let forgotten = forgetful.transaction().await.unwrap();
    let row = "INSERT INTO requests (id, origin) VALUES ('0198c0de-0000-7000-8000-000000000001', 'naive')";
    forgotten.batch_execute(row).await.unwrap();

    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY%'";
    let waiting = async || {
        let row = owner.query_one(waits, &[]).await.unwrap();
        row.get::<_, i64>(0) > 0
    };
    let migration = tokio::spawn(migrated(system.cluster.url()));
    while !waiting().await {
        assert!(!migration.is_finished());
        sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..20 {
        let answer = system.api.process().await;
        assert_eq!(answer.status, 200);
        assert!(answer.degraded().is_empty(), "{answer:?}");
    }
    // Whoever builds it leaves, and what is half built of it stays.
    migration.abort();
    while waiting().await {
        sleep(Duration::from_millis(20)).await;
    }
    let migration = tokio::spawn(migrated(system.cluster.url()));
    forgotten.rollback().await.unwrap();
    let outcome = timeout(MIGRATED_WITHIN, migration).await;
    outcome.expect("in time").unwrap().unwrap();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'requests_given_up'::regclass";
    let valid: bool = owner.query_one(valid, &[]).await.unwrap().get(0);
    assert!(valid, "what was half built is built anew");
}
