//! Both dependencies fail at once.

use holdfast_lab::proxy::Fault;
use holdfast_wire::DegradedCode;

use crate::support::System;

async fn refuses_in_time_and_recovers(fault: Fault) {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(fault).await;
    system.database.set(fault).await;
    for _ in 0..6 {
        let answer = system.api.process().await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.problem().code.as_str(), "db_unavailable");
        let codes: Vec<_> = answer.degraded().iter().map(|entry| entry.code).collect();
        assert_eq!(
            codes,
            [DegradedCode::WorkerUnavailable, DegradedCode::DbUnavailable]
        );
        assert!(answer.retry_after.unwrap() >= 1);
        assert_eq!(system.api.get("/readyz").await.status(), 200);
    }
    system.worker.set(Fault::None).await;
    system.database.set(Fault::None).await;
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn both_dead_is_a_refusal_that_names_both() {
    refuses_in_time_and_recovers(Fault::Refuse).await;
}

#[tokio::test]
async fn both_silent_is_a_refusal_within_the_bound() {
    refuses_in_time_and_recovers(Fault::Hang).await;
}
