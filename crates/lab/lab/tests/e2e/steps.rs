//! One row of the contract each.

use std::net::TcpListener;
use std::time::Duration;

use holdfast_system::accepted::AcceptedFile;
use holdfast_testbed::postgres;
use serde_json::json;
use tokio_postgres::NoTls;

use crate::client::{Answer, Client};
use crate::make::Stage;

const WORKER: &str = "worker_unavailable";
const DATABASE: &str = "db_unavailable";
const AT_ONCE: Duration = Duration::from_millis(50);

pub(crate) async fn comes_up_fresh_and_again(stage: &Stage) {
    stage.make("down");
    stage.make("up");
    let again = stage.make("up");
    assert!(
        again <= Duration::from_secs(20),
        "the second make up took {again:?}"
    );
    let said = stage.make_says("status");
    assert!(said.contains("journal") && said.contains("recovery"));
    stage.make("logs");
}

/// From the first call on: `up` has waited for all three.
pub(crate) async fn is_healthy(client: &Client) {
    let answer = client.process().await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["status"]),
        (200, &json!("ok"))
    );
    assert_eq!(answer.body["worker_response"], json!({"status": "done"}));
    assert_eq!(answer.body["recorded_in"], "database");
    assert_eq!(answer.body["degraded"], json!([]));
    let latency = answer.body["latency_seconds"].as_f64().unwrap();
    // The work, and no timeout or second attempt beside it; how fast the first call is on a busy machine is no matter here.
    assert!((2.0..2.5).contains(&latency), "{latency} s");

    let naive = client.get("/naive/process").await;
    assert_eq!(naive.status, 200);
    assert_eq!(naive.body["worker_response"], json!({"status": "done"}));
    assert_eq!(naive.body.as_object().unwrap().len(), 2);
}

pub(crate) async fn survives_a_dead_worker(stage: &Stage, client: &Client) {
    stage.make("kill-worker");
    stage.make("kill-worker");
    let answer = client.process().await;
    assert_deferred(&answer);
    assert!(
        stage.gone.contains(&answer.reason(WORKER).as_str()),
        "{answer:?}"
    );
    assert_eq!(client.get("/naive/process").await.status, 500);

    let said = stage.make_says("compare");
    assert!(said.contains("500") && said.contains("202") && said.contains("/naive/process"));
    client.until_the_worker_breaker_opens(assert_deferred).await;
    let p95 = client.p95_while_open().await;
    assert!(p95 < AT_ONCE, "p95 behind the open breaker: {p95:?}");
    assert_eq!(client.get("/readyz").await.status, 200);

    stage.make("start-worker");
    stage.make("start-worker");
    client.becomes_healthy().await;
    client.finishes_everything().await;
    assert_eq!(client.get("/naive/process").await.status, 200);
}

pub(crate) async fn survives_a_paused_worker(stage: &Stage, client: &Client) {
    stage.make("pause-worker");
    let (hangs, ()) = tokio::join!(client.naive_hangs(), async {
        for _ in 0..3 {
            assert_deferred(&client.process().await);
        }
    });
    assert!(
        hangs,
        "the naive endpoint answered although the worker is paused"
    );
    assert!(client.worker_breaker_is_open().await);
    let p95 = client.p95_while_open().await;
    assert!(p95 < AT_ONCE, "p95 behind the open breaker: {p95:?}");
    stage.make("resume-worker");
    client.becomes_healthy().await;
    client.finishes_everything().await;
}

pub(crate) async fn survives_a_dead_database(stage: &Stage, client: &Client) {
    stage.make("kill-db");
    stage.make("kill-db");
    for _ in 0..3 {
        let answer = client.process().await;
        assert_recorded_in_the_journal(&answer);
        let mut known_as = stage.gone.to_vec();
        known_as.push("circuit_open");
        assert!(
            known_as.contains(&answer.reason(DATABASE).as_str()),
            "{answer:?}"
        );
    }
    assert_eq!(client.get("/naive/process").await.status, 500);
    let read = client.get("/requests").await;
    assert_eq!(
        (read.status.as_u16(), &read.body["code"]),
        (503, &json!(DATABASE))
    );
    assert_eq!(client.get("/readyz").await.status, 200);
    stage.make("start-db");
    stage.make("start-db");
    client.becomes_healthy().await;
    client.finishes_everything().await;
}

pub(crate) async fn survives_a_paused_database(stage: &Stage, client: &Client) {
    stage.make("pause-db");
    let (hangs, ()) = tokio::join!(client.naive_hangs(), async {
        for _ in 0..3 {
            assert_recorded_in_the_journal(&client.process().await);
        }
    });
    assert!(
        hangs,
        "the naive endpoint answered although the database is paused"
    );
    stage.make("resume-db");
    client.becomes_healthy().await;
    client.finishes_everything().await;
}

pub(crate) async fn accepts_in_time_without_both(
    stage: &Stage,
    client: &Client,
    hurt: &str,
    heal: &str,
) {
    for service in ["worker", "db"] {
        stage.make(&format!("{hurt}-{service}"));
    }
    for _ in 0..4 {
        let answer = client.process().await;
        assert_accepted(&answer, &[WORKER, DATABASE], "journal");
        assert_eq!(client.get("/readyz").await.status, 200);
    }
    for service in ["worker", "db"] {
        stage.make(&format!("{heal}-{service}"));
    }
    client.becomes_healthy().await;
    client.finishes_everything().await;
}

/// The API dies over what it has accepted and comes back before the dependency does.
pub(crate) async fn keeps_its_promises_over_its_own_death(
    stage: &Stage,
    client: &Client,
    missing: &str,
) {
    stage.make(&format!("kill-{missing}"));
    let mut accepted = Vec::new();
    for _ in 0..3 {
        let answer = client.process().await;
        assert!(matches!(answer.status.as_u16(), 200 | 202), "{answer:?}");
        accepted.push(answer.body["request_id"].as_str().unwrap().to_owned());
    }
    stage.make("kill-api");
    stage.make("start-api");
    stage.make(&format!("start-{missing}"));
    client.becomes_healthy().await;
    client.finishes_everything().await;
    for id in accepted {
        let found = client.get(&format!("/requests/{id}")).await;
        assert_eq!(found.body["status"], "done", "{found:?}");
    }
}

/// Everything is dead and something is owed: `up` repairs, and deletes nothing.
pub(crate) async fn is_repaired_with_all_that_it_owes(stage: &Stage, client: &Client) {
    stage.make("kill-worker");
    let owed = client.process().await;
    assert_deferred(&owed);
    stage.make("kill-db");
    stage.make("kill-api");
    let (status, _) = stage.try_make("status");
    assert!(!status.status.success(), "status of a dead stage succeeded");
    assert!(stage.make_says("up").contains("http://127.0.0.1:"));
    stage.make("status");
    client.becomes_healthy().await;
    client.finishes_everything().await;
    let id = owed.body["request_id"].as_str().unwrap();
    let found = client.get(&format!("/requests/{id}")).await;
    assert_eq!(found.body["status"], "done", "{found:?}");
}

/// An earlier release left it: without the latest migration and the API's role. `up` makes up for both, as the owner.
pub(crate) async fn takes_up_a_database_of_before(stage: &Stage, client: &Client) {
    // Only there Postgres can be reached from here.
    let port = stage
        .settings
        .iter()
        .find_map(|it| it.strip_prefix("DB_PORT="));
    let Some(port) = port else { return };
    stage.make("kill-api");
    let url = postgres::url(port.parse().unwrap());
    let (owner, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let before = "DROP OWNED BY holdfast_api; DROP ROLE holdfast_api; DROP TABLE requeue_orders; \
        DROP INDEX requests_given_up; DELETE FROM schema_migrations WHERE version = 4";
    owner.batch_execute(before).await.unwrap();
    drop(owner);
    connection.await.unwrap().unwrap();
    stage.make("up");
    client.becomes_healthy().await;
    let status = client.get("/status").await;
    assert_eq!(status.body["dependencies"]["database"]["schema"], "current");
}

pub(crate) async fn takes_a_key_for_one_request(client: &Client) {
    let (key, body) = ("e2e-one-request", json!({"number": 1}));
    let first = client.process_once(key, &body).await;
    let again = client.process_once(key, &body).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (200, 200));
    assert_eq!(first.body["request_id"], again.body["request_id"]);
    assert!(again.took < Duration::from_secs(1), "{again:?}");
    let other = client.process_once(key, &json!({"number": 2})).await;
    assert_eq!(
        (other.status.as_u16(), &other.body["code"]),
        (422, &json!("idempotency_key_reused"))
    );
}

/// By the lab's own account, of Postgres itself: for the calls of this test, and for a load.
pub(crate) fn has_lost_nothing(stage: &Stage, client: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accepted.txt");
    let file = path.display();
    let mut promises = AcceptedFile::append(&path).unwrap();
    for promise in client.promises() {
        promises.add(&promise).unwrap();
    }
    let said = stage.make_says(&format!("check-lost ACCEPTED={file} WAIT=120s"));
    assert!(said.contains("every promise was kept"));
    stage.make(&format!("load RATE=5 DURATION=5s SEED=1 ACCEPTED={file}"));
    stage.make(&format!("check-lost ACCEPTED={file} WAIT=120s"));
}

pub(crate) async fn goes_down_twice(stage: &Stage) {
    let said = stage.make_says("down");
    assert!(said.contains("deleted") && said.contains("still owed"));
    stage.make("down");
    for setting in stage.settings {
        let port: u16 = setting.split_once('=').unwrap().1.parse().unwrap();
        assert!(
            TcpListener::bind(("127.0.0.1", port)).is_ok(),
            "{setting} is still taken"
        );
    }
}

pub(super) fn assert_deferred(answer: &Answer) {
    assert_accepted(answer, &[WORKER], "database");
}

fn assert_accepted(answer: &Answer, codes: &[&str], recorded_in: &str) {
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.codes(), codes);
    assert_eq!(answer.body["recorded_in"], recorded_in);
    let id = answer.body["request_id"].as_str().unwrap();
    assert_eq!(answer.location, Some(format!("/requests/{id}")));
    assert!(answer.retry_after.unwrap() >= 1);
}

fn assert_recorded_in_the_journal(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.codes(), [DATABASE]);
    assert_eq!(answer.body["status"], "degraded");
    assert_eq!(answer.body["worker_response"], json!({"status": "done"}));
    assert_eq!(answer.body["recorded_in"], "journal");
}
