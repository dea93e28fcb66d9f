//! The routes that describe the service, and what every answer carries.

use holdfast_testbed::proxy::Fault;
use serde_json::{Value, json};
use toml::Table;

use crate::support::System;

/// The first key of `file` that is not among what is `shown`.
fn missing(file: &Value, shown: &Value) -> Option<String> {
    file.as_object()?
        .iter()
        .find_map(|(key, value)| match shown.get(key) {
            None => Some(key.clone()),
            Some(shown) => missing(value, shown),
        })
}

#[tokio::test]
async fn policies_shows_every_key_in_force_and_the_bound_that_follows() {
    let system = System::start().await;
    let body: Value = system.api.get("/policies").await.json().await.unwrap();
    assert_eq!(
        body["process"],
        json!({
            "worst_case_seconds": 4.5,
            "max_in_flight": 512,
            "trusted_priorities": [],
            "rate_limit": {
                "enabled": false, "requests": 100, "window": "10s", "client": "address", "max_clients": 10000
            },
        })
    );
    let file: Table = include_str!("../../../../../deploy/policies.toml")
        .parse()
        .unwrap();
    for (name, keys) in &file {
        let shown = match name.as_str() {
            "process" => &body["process"],
            name => &body["policies"][name],
        };
        assert_eq!(
            missing(&serde_json::to_value(keys).unwrap(), shown),
            None,
            "{name}"
        );
    }
    assert_eq!(body["policies"]["worker"]["attempt_timeout"], "600ms");
    assert_eq!(
        body["policies"]["worker"]["retry"]["backoff"]["multiplier"],
        2.0
    );
    assert_eq!(
        body["policies"]["database"]["pool"],
        json!({"max_size": 16, "replicas": 1, "max_wait": "300ms", "idle_timeout": "1m", "max_lifetime": "30m"})
    );
}

#[tokio::test]
async fn status_shows_each_dependency_and_the_open_work() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    // Counted in the background: the first count may have seen the request above while it ran.
    system
        .api
        .comes_to(|status| status.open_work == Some(0))
        .await;
    let status = system.api.status().await;
    assert!(status.ready);
    assert_eq!(status.dependencies.worker.failure_rate, Some(0.0));
    assert_eq!(status.dependencies.worker.last_error, None);
    assert_eq!(status.dependencies.worker.limit, 256);
}

#[tokio::test]
async fn every_answer_carries_an_id_and_is_never_cached() {
    let system = System::start().await;
    for path in [
        "/process",
        "/naive/process",
        "/status",
        "/livez",
        "/metrics",
        "/nowhere",
    ] {
        let response = system.api.get(path).await;
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
        assert!(response.headers().contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn the_request_id_of_the_body_is_that_of_the_header() {
    let system = System::start().await;
    let response = system.api.get("/process").await;
    let header = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["request_id"], json!(header));
}

#[tokio::test]
async fn a_clients_own_id_is_echoed_beside_ours_on_every_answer() {
    let system = System::start().await;
    for (path, status) in [
        ("/process", 200),
        ("/requests/none", 400),
        ("/nowhere", 404),
    ] {
        let asked = system
            .api
            .request("GET", path)
            .header("x-request-id", "order-17");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["x-correlation-id"], "order-17");
        assert_ne!(answer.headers()["x-request-id"], "order-17");
    }
    let answer = system.api.get("/livez").await;
    assert!(!answer.headers().contains_key("x-correlation-id"));
}

#[tokio::test]
async fn metrics_agree_with_what_happened() {
    let system = System::start().await;
    system.api.metrics().await.show(&[
        (
            r#"holdfast_calls_total{dependency="worker",outcome="answered"}"#,
            0,
        ),
        (
            r#"holdfast_attempts_total{dependency="worker",outcome="success"}"#,
            0,
        ),
        (
            r#"holdfast_rejections_total{dependency="database",reason="breaker"}"#,
            0,
        ),
        (
            r#"holdfast_breaker_state{dependency="worker",state="closed"}"#,
            1,
        ),
        (
            r#"holdfast_breaker_state{dependency="worker",state="open"}"#,
            0,
        ),
        ("holdfast_journal_available", 1),
        ("holdfast_journal_entries", 0),
        ("holdfast_journal_appended_total", 0),
        ("holdfast_open_work", 0),
        (r#"holdfast_recovery_total{what="done"}"#, 0),
    ]);
    system.api.process().await;
    system.worker.set(Fault::Refuse).await;
    system.api.opens_worker_breaker().await;
    system.api.metrics().await.show(&[
        (
            r#"holdfast_calls_total{dependency="worker",outcome="answered"}"#,
            1,
        ),
        (
            r#"holdfast_breaker_state{dependency="worker",state="open"}"#,
            1,
        ),
        (
            r#"holdfast_breaker_transitions_total{dependency="worker",to="open"}"#,
            1,
        ),
        (
            r#"holdfast_attempts_total{dependency="worker",outcome="failure"}"#,
            3,
        ),
    ]);
}

#[tokio::test]
async fn status_and_metrics_agree_on_what_is_owed_and_on_what_was_recovered() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.database.set(Fault::Refuse).await;
    assert_eq!(system.api.process().await.status, 200);
    let journal = system.api.status().await.journal.unwrap();
    assert!(journal.entries == 1 && journal.bytes > 0 && journal.oldest_seconds.is_some());
    system.api.metrics().await.show(&[
        ("holdfast_journal_entries", 1),
        ("holdfast_journal_bytes", journal.bytes),
        ("holdfast_journal_appended_total", 2),
    ]);
    system.database.set(Fault::None).await;
    system.api.journal_empties().await;
    // Counted a moment after the entry is gone.
    system
        .api
        .comes_to(|status| status.recovery.replayed_per_second > 0.0)
        .await;
    let replayed = r#"holdfast_recovery_total{what="replayed"}"#;
    assert_eq!(system.api.metrics().await.count(replayed), 1);
}
