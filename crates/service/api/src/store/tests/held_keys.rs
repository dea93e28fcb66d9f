//! Keys that somebody else is about to take, several of them in one batch.

use futures_util::future::join_all;
use holdfast_policy::BreakerState;

use super::*;

#[tokio::test]
async fn keys_that_others_are_about_to_take_are_no_outage_and_cost_no_row_that_was_written() {
    let (cluster, store, _) = store().await;
    let dependency = dependency();
    let unmeasured = LiveMetrics {
        unkeyed: unmeasured(),
        keyed: unmeasured(),
    };
    let runtime = Handle::current();
    let live = LiveStore::new(
        &dependency,
        &store,
        LEASE,
        &runtime,
        unmeasured,
        Arc::new(|_| {}),
    );
    let mut client = sql(&cluster).await;
    for held in [2, 6] {
        let taking = client.transaction().await.unwrap();
        for key in 0..held {
            let take =
                "INSERT INTO idempotency_keys (key, request_id) VALUES ($1, gen_random_uuid())";
            taking
                .execute(take, &[&format!("{held} {key}")])
                .await
                .unwrap();
        }
        for _ in 0..4 {
            let requests: Vec<_> = (0..8)
                .map(|key| request(Uuid::now_v7(), Some(&format!("{held} {key}")), None))
                .collect();
            let inserts = requests
                .iter()
                .map(|it| live.insert(it, Owner::Caller, soon()));
            let inserted = join_all(inserts).await;
            assert!(inserted[..held].iter().all(Result::is_err));
        }
        let plain = request(Uuid::now_v7(), Some(&format!("{held} other")), None);
        let inserted = live.insert(&plain, Owner::Caller, soon()).await;
        assert_eq!(inserted.unwrap(), InsertOutcome::Inserted);
        assert_eq!(dependency.snapshot().breaker, BreakerState::Closed);
        taking.rollback().await.unwrap();
        let free = request(Uuid::now_v7(), Some(&format!("{held} 0")), None);
        let inserted = live.insert(&free, Owner::Caller, soon()).await;
        assert_eq!(inserted.unwrap(), InsertOutcome::Inserted);
    }
}
