//! One row of the contract each.

use std::net::TcpListener;
use std::time::Duration;

use holdfast_wire::RequestList;
use serde_json::json;

use super::client::{Answer, Client};
use super::make::Stage;

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
    stage.make("status");
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
    assert!((2.0..=2.1).contains(&latency), "{latency} s");

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
    while !client.worker_breaker_is_open().await {
        assert_deferred(&client.process().await);
    }
    let p95 = client.p95_while_open().await;
    assert!(p95 < AT_ONCE, "p95 behind the open breaker: {p95:?}");
    assert_eq!(client.get("/readyz").await.status, 200);

    stage.make("start-worker");
    stage.make("start-worker");
    client.becomes_healthy().await;
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
}

pub(crate) async fn survives_a_dead_database(stage: &Stage, client: &Client) {
    stage.make("kill-db");
    stage.make("kill-db");
    for _ in 0..3 {
        let answer = client.process().await;
        assert_served_without_record(&answer);
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
}

pub(crate) async fn survives_a_paused_database(stage: &Stage, client: &Client) {
    stage.make("pause-db");
    let (hangs, ()) = tokio::join!(client.naive_hangs(), async {
        for _ in 0..3 {
            assert_served_without_record(&client.process().await);
        }
    });
    assert!(
        hangs,
        "the naive endpoint answered although the database is paused"
    );
    stage.make("resume-db");
    client.becomes_healthy().await;
}

pub(crate) async fn refuses_in_time_without_both(
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
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (503, &json!(DATABASE))
        );
        assert_eq!(answer.codes(), [WORKER, DATABASE]);
        assert!(answer.retry_after.unwrap() >= 1);
        assert_eq!(client.get("/readyz").await.status, 200);
    }
    for service in ["worker", "db"] {
        stage.make(&format!("{heal}-{service}"));
    }
    client.becomes_healthy().await;
}

pub(crate) async fn restarts_the_api_and_keeps_what_was_accepted(stage: &Stage, client: &Client) {
    let before = received(client).await;
    assert!(before.total >= 1, "deferred requests were accepted before");
    stage.make("kill-api");
    stage.make("start-api");
    client.becomes_healthy().await;
    assert_eq!(received(client).await.total, before.total);
}

pub(crate) fn names_what_later_versions_bring(stage: &Stage) {
    for target in ["experiments", "report"] {
        let (output, _) = stage.try_make(target);
        assert!(!output.status.success(), "make {target} claims to work");
    }
}

pub(crate) async fn goes_down_twice(stage: &Stage) {
    stage.make("down");
    stage.make("down");
    for setting in stage.settings {
        let port: u16 = setting.split_once('=').unwrap().1.parse().unwrap();
        assert!(
            TcpListener::bind(("127.0.0.1", port)).is_ok(),
            "{setting} is still taken"
        );
    }
}

async fn received(client: &Client) -> RequestList {
    serde_json::from_value(client.get("/requests?status=received").await.body).unwrap()
}

fn assert_deferred(answer: &Answer) {
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.codes(), [WORKER]);
    assert_eq!(answer.body["recorded_in"], "database");
    let id = answer.body["request_id"].as_str().unwrap();
    assert_eq!(answer.location, Some(format!("/requests/{id}")));
    assert!(answer.retry_after.unwrap() >= 1);
}

fn assert_served_without_record(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.codes(), [DATABASE]);
    assert_eq!(answer.body["worker_response"], json!({"status": "done"}));
    assert_eq!(answer.body["recorded_in"], json!(null));
}
