//! What has been kept long enough goes, as fast as it comes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::System;

const OLD: &str = "WITH old AS ( \
        INSERT INTO requests (id, origin, status, worker_response, received_at, completed_at) \
        SELECT gen_random_uuid(), 'resilient', 'done', '{}', now() - interval '2 days', now() - interval '2 days' \
        FROM generate_series(1, 50000) RETURNING id \
    ) INSERT INTO idempotency_keys (key, request_id) SELECT id::text, id FROM old";

#[tokio::test]
async fn old_rows_go_with_their_keys_beside_calls_that_notice_nothing() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    sql.batch_execute(OLD).await.unwrap();
    // Retention looks every ten seconds when there was nothing to delete.
    let started = Instant::now();
    let left = "SELECT count(*) FROM requests WHERE received_at < now() - interval '1 day'";
    while sql.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "given up");
        let answer = system.api.process().await;
        assert_eq!(answer.degraded(), [], "{answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
    let keys = sql
        .query_one("SELECT count(*) FROM idempotency_keys", &[])
        .await
        .unwrap();
    assert_eq!(keys.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_portion_that_takes_too_long_is_halved_and_said_aloud() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let sql = system.sql().await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            PERFORM pg_sleep(0.005); RETURN OLD; END $$; \
        CREATE TRIGGER slow BEFORE DELETE ON requests FOR EACH ROW EXECUTE FUNCTION slow()";
    sql.batch_execute(slow).await.unwrap();
    let few = OLD.replace("50000", "200");
    sql.batch_execute(&few).await.unwrap();
    let left = "SELECT count(*) FROM requests WHERE received_at < now() - interval '1 day'";
    let started = Instant::now();
    while sql.query_one(left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < Duration::from_secs(40), "given up");
        sleep(Duration::from_millis(100)).await;
    }
    let failed = "holdfast_recovery_total{what=\"forget_failed\"}";
    assert!(system.api.metrics().await.count(failed) >= 1);
}
