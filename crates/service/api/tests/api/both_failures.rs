//! Both dependencies fail at once: accepted all the same, and done when both are back.

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{DegradedCode, RecordedIn, RequestStatus};

use crate::support::System;

async fn accepts_in_time_and_finishes(fault: Fault) {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(fault).await;
    system.database.set(fault).await;
    let mut accepted = Vec::new();
    for _ in 0..6 {
        let answer = system.api.process().await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let body = answer.processed();
        assert_eq!(body.recorded_in, RecordedIn::Journal);
        let codes: Vec<_> = answer.degraded().iter().map(|entry| entry.code).collect();
        assert_eq!(
            codes,
            [DegradedCode::WorkerUnavailable, DegradedCode::DbUnavailable]
        );
        assert!(answer.retry_after.unwrap() >= 1);
        let location = format!("/requests/{}", body.request_id);
        assert_eq!(answer.location, Some(location.clone()));
        // Known although Postgres is gone.
        assert_eq!(system.api.get(&location).await.status(), 200);
        assert_eq!(system.api.get("/readyz").await.status(), 200);
        accepted.push(body.request_id);
    }
    system.worker.set(Fault::None).await;
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
    for id in accepted {
        system.api.comes_to_be(id, RequestStatus::Done).await;
    }
}

#[tokio::test]
async fn both_dead_is_accepted_naming_both_and_done_later() {
    accepts_in_time_and_finishes(Fault::Refuse).await;
}

#[tokio::test]
async fn both_silent_is_accepted_within_the_bound_and_done_later() {
    accepts_in_time_and_finishes(Fault::Hang).await;
}
