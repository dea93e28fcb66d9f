//! The API's own role in Postgres: what `db/rights.sql` gives it is all that the service needs. Each other test of the API
//! runs by it too.

use holdfast_ops::Environment;
use holdfast_testbed::postgres::ROLE_SQL;
use holdfast_testbed::proxy::Fault;
use holdfast_wire::{RecordedIn, RequestStatus, Schema};
use tokio_postgres::{Client, NoTls};

use crate::support::{Api, System};

/// SQLSTATE `insufficient_privilege`.
const NO_RIGHT: &str = "42501";

async fn as_the_api(system: &System) -> Client {
    let connected = tokio_postgres::connect(&system.cluster.api_url(), NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn the_role_can_neither_change_tables_nor_read_files_nor_act_for_others() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let role = as_the_api(&system).await;
    let owner = system.sql().await;
    let others = "CREATE TABLE of_others (secret text); INSERT INTO of_others VALUES ('theirs')";
    owner.batch_execute(others).await.unwrap();
    let owners_session = "SELECT pg_backend_pid()";
    let pid: i32 = owner.query_one(owners_session, &[]).await.unwrap().get(0);
    for forbidden in [
        "DROP TABLE requests",
        "TRUNCATE requests",
        "ALTER TABLE requests DROP COLUMN status",
        "CREATE INDEX ON requests (origin)",
        "CREATE TABLE mine (id integer)",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE holdfast",
        "GRANT SELECT ON of_others TO holdfast_api",
        "UPDATE idempotency_keys SET request_id = gen_random_uuid()",
        "DELETE FROM schema_migrations",
        "UPDATE schema_migrations SET version = 9",
        "SELECT * FROM of_others",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "COPY requests TO '/tmp/holdfast-requests'",
        "COPY requests FROM PROGRAM 'true'",
        "ALTER SYSTEM SET fsync = off",
        "SELECT pg_reload_conf()",
        &format!("SELECT pg_terminate_backend({pid})"),
    ] {
        let refusal = role.batch_execute(forbidden).await;
        let refusal = refusal.expect_err(forbidden);
        let code = refusal.code().map(|it| it.code().to_owned());
        assert_eq!(code.as_deref(), Some(NO_RIGHT), "{forbidden}: {refusal}");
    }
    assert_eq!(system.api.process().await.status, 200);
}

#[tokio::test]
async fn all_that_the_service_does_it_does_by_that_role() {
    let system = System::start().await;
    let api = &system.api;
    api.becomes_healthy().await;
    let who = "SELECT count(*) FROM pg_stat_activity JOIN pg_roles ON rolname = usename \
        WHERE application_name LIKE 'holdfast %' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolname <> 'holdfast_api')";
    let row = system.sql().await.query_one(who, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "somebody else is at work");
    assert_eq!(api.post_keyed("order-1", "1").await.status, 200);
    assert_eq!(api.get("/naive/process").await.status(), 200);
    assert_eq!(api.post("/naive/process", "1").await.status(), 200);
    system.worker.set(Fault::Refuse).await;
    let put_off = api.post_keyed("order-2", "2").await.processed().request_id;
    let cancel = format!("/requests/{put_off}/cancel");
    assert_eq!(api.operate(&cancel).await.status(), 200);
    system.database.set(Fault::Refuse).await;
    let journaled = api.process().await;
    assert_eq!(journaled.processed().recorded_in, RecordedIn::Journal);
    system.database.set(Fault::None).await;
    system.worker.set(Fault::None).await;
    api.becomes_healthy().await;
    api.journal_empties().await;
    let id = journaled.processed().request_id;
    api.comes_to_be(id, RequestStatus::Done).await;
    let retry = format!("/requests/{put_off}/retry");
    assert_eq!(api.operate(&retry).await.status(), 200);
    let all = api.operate("/requests/retry?status=failed").await;
    assert_eq!(all.status(), 202);
    api.comes_to_be(put_off, RequestStatus::Done).await;
    assert_eq!(api.get("/requests?status=done").await.status(), 200);
    assert_eq!(
        api.status().await.dependencies.database.schema,
        Schema::Current
    );
}

#[tokio::test]
async fn a_migration_that_the_role_may_not_apply_is_the_owners_and_costs_no_call_meanwhile() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let before = "DROP TABLE requeue_orders; DROP INDEX requests_given_up; DELETE FROM schema_migrations WHERE version = 4";
    let owner = system.sql().await;
    owner.batch_execute(before).await.unwrap();
    let replica = Api::start(system.api.config.of_a_replica());
    replica
        .comes_to(|status| status.dependencies.database.schema == Schema::Outdated)
        .await;
    let answer = replica.process().await;
    assert_eq!(answer.status, 200);
    assert!(answer.degraded().is_empty(), "{answer:?}");

    let url = system.cluster.url();
    let as_owner = Environment::from([("DATABASE_URL", url.as_str())]);
    holdfast_api::migrate(&as_owner).await.unwrap();
    owner.batch_execute(ROLE_SQL).await.unwrap();
    let restarted = Api::start(system.api.config.of_a_replica());
    restarted
        .comes_to(|status| status.dependencies.database.schema == Schema::Current)
        .await;
    let all = restarted.operate("/requests/retry?status=failed").await;
    assert_eq!(all.status(), 202);
}
