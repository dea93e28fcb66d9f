//! All that failed is asked for again, at a pace, through restarts.

use std::time::Duration;

use holdfast_wire::Requeued;
use tokio::time::{Instant, sleep};

use crate::support::{Api, CountingWorker, System};

const FAILED: i32 = 300;

async fn count(system: &System, status: &str) -> i32 {
    let count = "SELECT count(*)::int FROM requests WHERE status = $1";
    let row = system.sql().await.query_one(count, &[&status]).await;
    row.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_failed_is_done_once_at_the_pace_by_two_replicas_one_of_which_is_restarted() {
    let worker = CountingWorker::start(Duration::from_millis(20)).await;
    let system = System::start().await;
    let sql = system.sql().await;
    let fail = "INSERT INTO requests (id, origin, status, error, attempts, completed_at) \
        SELECT gen_random_uuid(), 'resilient', 'failed', 'refused', 20, now() FROM generate_series(1, $1)";
    sql.execute(fail, &[&FAILED]).await.unwrap();
    let mut config = system.api.config.of_a_replica();
    config.worker_url = worker.url();
    let mut here = Api::start(config.clone());
    let there = Api::start(config.of_a_replica());
    // Cut off from its worker, the first takes no part.
    system
        .worker
        .set(holdfast_testbed::proxy::Fault::Refuse)
        .await;
    let ordered = here.operate("/requests/retry?status=failed").await;
    assert_eq!(ordered.status(), 202);
    let ordered: Requeued = ordered.json().await.unwrap();
    assert_eq!(
        (i32::try_from(ordered.count), ordered.per_second),
        (Ok(FAILED), 40.0)
    );
    let started = Instant::now();
    let mut restarted = false;
    while count(&system, "done").await < FAILED {
        let owed_again = FAILED - count(&system, "failed").await;
        // What the pace allows, and the quarter of a second that one step may make up for.
        let allowed = (started.elapsed().as_secs_f64() + 0.25) * 40.0 + 1.0;
        assert!(
            f64::from(owed_again) <= allowed,
            "{owed_again} after {:?}",
            started.elapsed()
        );
        assert!(started.elapsed() < Duration::from_secs(40), "not finished");
        if !restarted && owed_again > FAILED / 3 {
            restarted = true;
            here.stop();
            here.stopped().await;
            here = Api::start(config.clone());
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert!(restarted);
    assert!(started.elapsed().as_secs_f64() >= f64::from(FAILED) / 40.0 - 0.25);
    assert_eq!(i32::try_from(worker.calls()), Ok(FAILED));
    // Nothing is left of the order, and what fails from now on stays so.
    sleep(Duration::from_secs(3)).await;
    let left = sql.query("SELECT FROM requeue_orders", &[]).await.unwrap();
    assert_eq!(left.len(), 0);
    sql.execute(fail, &[&1_i32]).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(count(&system, "failed").await, 1);
    drop(there);
}
