//! How long an `Idempotency-Key` is remembered.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::RequestStatus;
use tokio::time::sleep;

use crate::support::System;

#[tokio::test]
async fn a_key_is_kept_as_long_as_its_request_and_a_key_without_one_is_free() {
    let system = System::with("idempotency.keep = \"6s\"", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Refuse).await;
    let id = system.api.post_keyed("k", "1").await.processed().request_id;
    // Open for longer than it would be kept if it were done.
    sleep(Duration::from_secs(7)).await;
    system.worker.set(Fault::None).await;
    system.api.comes_to_be(id, RequestStatus::Done).await;
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        system.api.post_keyed("k", "1").await.processed().request_id,
        id
    );

    // What an operator may do.
    system
        .sql()
        .await
        .execute("DELETE FROM requests", &[])
        .await
        .unwrap();
    let anew = system.api.post_keyed("k", "2").await;
    assert_eq!(anew.status, 200, "{anew:?}");
    assert!(anew.degraded().is_empty(), "{anew:?}");
}

#[tokio::test]
async fn finished_requests_and_their_keys_are_forgotten_after_the_time_they_are_kept() {
    let system = System::with("idempotency.keep = \"5s\"", Duration::ZERO).await;
    let first = system.api.post_keyed("k", "1").await.processed().request_id;
    assert_eq!(
        system.api.post_keyed("k", "1").await.processed().request_id,
        first
    );
    let path = format!("/requests/{first}");
    let started = tokio::time::Instant::now();
    while system.api.get(&path).await.status() != 404 {
        assert!(started.elapsed() < Duration::from_secs(15), "still there");
        sleep(Duration::from_millis(200)).await;
    }
    assert_ne!(
        system.api.post_keyed("k", "1").await.processed().request_id,
        first
    );
}
