//! What was accepted is finished later, by whoever is there.

use std::time::Duration;

use holdfast_testbed::proxy::Fault;
use holdfast_wire::{Breaker, RequestList, RequestStatus};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::support::{Api, CountingWorker, System, TestConfig};

pub(crate) async fn total(api: &Api, status: &str) -> u64 {
    let response = api.get(&format!("/requests?status={status}")).await;
    response.json::<RequestList>().await.unwrap().total
}

/// A second replica, which calls another worker.
pub(crate) fn replica_over(worker_url: &str, system: &System) -> Api {
    Api::start(TestConfig {
        worker_url: worker_url.to_owned(),
        ..system.api.config.of_a_replica()
    })
}

/// Rows as a killed replica leaves them: open, and nobody's.
pub(crate) async fn orphans(system: &System, count: usize) -> Vec<Uuid> {
    let sql = system.sql().await;
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let insert =
        "INSERT INTO requests (id, origin) SELECT id, 'resilient' FROM unnest($1::uuid[]) AS id";
    sql.execute(insert, &[&ids]).await.unwrap();
    ids
}

#[tokio::test]
async fn a_deferred_request_is_done_when_the_worker_is_back_without_any_call() {
    let system = System::start().await;
    system.worker.set(Fault::Refuse).await;
    system.api.opens_worker_breaker().await;
    let deferred = total(&system.api, "received").await;
    assert!(deferred >= 1);
    system.worker.set(Fault::None).await;
    let started = Instant::now();
    while total(&system.api, "received").await > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "still owed");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(total(&system.api, "done").await, deferred);
    system.api.becomes_healthy().await;
}

#[tokio::test]
async fn where_an_attempt_may_take_all_the_time_there_is_recovery_still_works() {
    let policies = "worker.attempt_timeout = '1s'\nworker.deadline = '1s'\n\
        database.attempt_timeout = '1s'\ndatabase.deadline = '1s'";
    let system = System::with(policies, Duration::from_millis(50)).await;
    system.worker.set(Fault::Refuse).await;
    let deferred = system.api.process().await;
    assert_eq!(deferred.status, 202);
    system.worker.set(Fault::None).await;
    let id = deferred.processed().request_id;
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn what_recovery_works_on_is_its_own_for_longer_than_a_callers_lease() {
    let policies = "recovery.lease = '15s'\ndatabase.deadline = '1s'";
    let system = System::with(policies, Duration::from_millis(300)).await;
    let sql = system.sql().await;
    system.worker.set(Fault::Refuse).await;
    let deferred = system.api.process().await;
    assert_eq!(deferred.status, 202);
    system.worker.set(Fault::None).await;
    let id = deferred.processed().request_id;
    let claimed = "SELECT 1 FROM requests WHERE id = $1 AND lease_until > now() + interval '15 s'";
    let started = Instant::now();
    while sql.query_opt(claimed, &[&id]).await.unwrap().is_none() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "never its own for so long"
        );
        sleep(Duration::from_millis(20)).await;
    }
    system.api.comes_to_be(id, RequestStatus::Done).await;
}

#[tokio::test]
async fn a_request_whose_client_left_is_done_once_its_lease_is_over() {
    let system = System::with("", Duration::from_millis(400)).await;
    system.api.becomes_healthy().await;
    let mut client = TcpStream::connect(system.api.address).await.unwrap();
    client
        .write_all(b"GET /process HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let started = Instant::now();
    while total(&system.api, "received").await == 0 {
        assert!(started.elapsed() < Duration::from_secs(5), "never recorded");
        sleep(Duration::from_millis(10)).await;
    }
    // A reset drops the call where it stands, in the middle of the work.
    client.set_zero_linger().unwrap();
    drop(client);
    let list: RequestList = {
        let open = system.api.get("/requests?status=received").await;
        open.json().await.unwrap()
    };
    assert_eq!(list.total, 1);
    system
        .api
        .comes_to_be(list.requests[0].request_id, RequestStatus::Done)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_a_backlog_and_live_calls_without_doing_anything_twice() {
    let worker = CountingWorker::start(Duration::from_millis(200)).await;
    let system = System::start().await;
    let here = replica_over(&worker.url(), &system);
    let there = Api::start(here.config.of_a_replica());
    // Cut off from its worker, the first takes no part.
    system.worker.set(Fault::Refuse).await;
    let orphans = orphans(&system, 60).await;
    let mut live = 0;
    let started = Instant::now();
    while total(&here, "received").await > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "not finished");
        for api in [&here, &there] {
            let answer = api.process().await;
            assert_eq!(answer.status, 200, "{answer:?}");
            // A live call waits for no turn: the work, and what a busy machine adds.
            assert!(answer.processed().latency_seconds < 1.0, "{answer:?}");
            live += 1;
        }
    }
    assert_eq!(worker.calls(), orphans.len() + live);
}

#[tokio::test]
async fn open_work_that_cannot_be_claimed_in_time_takes_nothing_from_live_calls() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF NEW.status = 'received' AND NEW.lease_until > now() THEN PERFORM pg_sleep(2); END IF; \
            RETURN NEW; END $$; \
        CREATE TRIGGER slow BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION slow()";
    let sql = system.sql().await;
    sql.batch_execute(slow).await.unwrap();
    let orphans = orphans(&system, 3).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(6) {
        let answer = system.api.process().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.degraded(), [], "{answer:?}");
        sleep(Duration::from_millis(50)).await;
    }
    let status = system.api.status().await;
    assert_eq!(status.dependencies.database.breaker, Breaker::Closed);
    assert!(status.open_work >= Some(3), "{status:?}");
    sql.batch_execute("DROP TRIGGER slow ON requests")
        .await
        .unwrap();
    for id in orphans {
        system.api.comes_to_be(id, RequestStatus::Done).await;
    }
}

#[tokio::test]
async fn an_outage_of_postgres_ends_although_nobody_calls() {
    let system = System::start().await;
    system.database.set(Fault::Refuse).await;
    system.api.opens_database_breaker().await;
    system.database.set(Fault::None).await;
    system
        .api
        .comes_to(|status| status.dependencies.database.breaker == Breaker::Closed)
        .await;
    system.api.journal_empties().await;
}

#[tokio::test]
async fn with_as_much_open_work_as_it_takes_on_the_service_refuses_until_some_is_done() {
    let system = System::with("recovery.max_open = 3", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    // A count that fell into that call still sees it open.
    system
        .api
        .comes_to(|status| status.open_work == Some(0))
        .await;
    system.worker.set(Fault::Refuse).await;
    let mut refused = None;
    for _ in 0..10 {
        let answer = system.api.process().await;
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("it takes on any number");
    assert_eq!(
        (refused.status.as_u16(), refused.problem().code.as_str()),
        (503, "overloaded")
    );
    assert!(refused.retry_after.unwrap() >= 1);
    let open = total(&system.api, "received").await;
    // What is put off while it is being counted counts twice, for a second.
    assert!((2..=4).contains(&open), "{open}");
    system.worker.set(Fault::None).await;
    system.api.becomes_healthy().await;
    system
        .api
        .comes_to(|status| status.open_work == Some(0))
        .await;
    assert_eq!(total(&system.api, "received").await, 0);
}

#[tokio::test]
async fn what_recovery_has_in_hand_ends_before_the_service_does() {
    // Longer than the notice that a stopping service gives; nobody is connected.
    let patient =
        "worker.attempt_timeout = '2500ms'\nworker.deadline = '3s'\nrecovery.lease = '8s'";
    let mut system = System::with(patient, Duration::from_millis(1_500)).await;
    let id = orphans(&system, 1).await[0];
    system
        .api
        .comes_to(|status| status.recovery.in_flight == 1)
        .await;
    system.api.stop();
    system.api.stopped().await;
    let status = "SELECT status FROM requests WHERE id = $1";
    let row = system.sql().await.query_one(status, &[&id]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "done");
}

#[tokio::test]
async fn asking_again_is_no_more_open_work() {
    let system = System::with("recovery.max_open = 4", Duration::ZERO).await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Refuse).await;
    for _ in 0..8 {
        assert_eq!(system.api.post_keyed("k", "1").await.status, 202);
    }
}

#[tokio::test]
async fn the_naive_sides_orphans_stay_where_they_are() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Refuse).await;
    assert_eq!(system.api.get("/naive/process").await.status(), 500);
    let deferred = system.api.process().await.processed().request_id;
    system.worker.set(Fault::None).await;
    system.api.comes_to_be(deferred, RequestStatus::Done).await;
    let open = "SELECT count(*) FROM requests WHERE origin = 'naive' AND status = 'received'";
    let row = system.sql().await.query_one(open, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}
