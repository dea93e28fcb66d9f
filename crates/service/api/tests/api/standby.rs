//! A standby that lags takes over: what is in the API's hands then is not lost with the old primary.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_testbed::postgres::Cluster;
use holdfast_wire::{RecordedIn, RequestStatus};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::support::{Answer, Api, ScriptedWorker, TestConfig, spawn_worker};

const WORK: Duration = Duration::from_secs(3);
/// The work takes longer than it takes to fail over.
const PATIENT: &str = "\
worker.attempt_timeout = '5s'
worker.deadline = '6s'
worker.breaker = { slow_call = '4500ms', open_for = '500ms', max_open_for = '1s' }
recovery.lease = '12s'
";
const STATE: &str = "SELECT status, payload::text FROM requests \
    JOIN idempotency_keys ON request_id = id WHERE id = $1 AND key = $2";

/// Calls under way at once, each with its own key and body.
async fn calls(api: &Api, numbers: std::ops::Range<usize>) -> Vec<(usize, Answer)> {
    let call = async |number: usize| (number, api.post_keyed(&key(number), &body(number)).await);
    join_all(numbers.map(call)).await
}

fn key(number: usize) -> String {
    format!("key-{number}")
}

fn body(number: usize) -> String {
    format!("{{\"n\":{number}}}")
}

async fn sql(cluster: &Cluster) -> Client {
    let (client, connection) = tokio_postgres::connect(&cluster.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn has_received(primary: &Client, count: i64) {
    let open = "SELECT count(*) FROM requests WHERE status = 'received'";
    while primary.query_one(open, &[]).await.unwrap().get::<_, i64>(0) < count {
        sleep(Duration::from_millis(10)).await;
    }
}

/// A primary, its standby, and an API that calls whichever takes writes.
async fn two_nodes(worker: &str, policies: &str) -> (Cluster, Cluster, Api) {
    let primary = Cluster::start().await.unwrap();
    let standby = primary.standby().await.unwrap();
    let hosts = [&primary, &standby].map(|node| format!("127.0.0.1:{}", node.port()));
    let api = Api::start(TestConfig {
        database_url: format!(
            "postgres://holdfast:holdfast@{}/holdfast?target_session_attrs=read-write",
            hosts.join(",")
        ),
        ..TestConfig::new(worker, ([127, 0, 0, 1], 1).into(), policies)
    });
    api.becomes_healthy().await;
    (primary, standby, api)
}

#[tokio::test]
async fn what_was_under_way_when_a_lagging_standby_took_over_is_recorded_whole_in_the_new_primary()
{
    let worker = format!("http://{}", spawn_worker(WORK));
    let (primary, standby, api) = two_nodes(&worker, PATIENT).await;
    let at_primary = sql(&primary).await;
    primary.mute().await.unwrap();
    let fail_over = async {
        has_received(&at_primary, 8).await;
        primary.kill().await.unwrap();
        // Nobody leads: these are the journal's.
        let meanwhile = calls(&api, 8..12);
        let promoted = async {
            sleep(Duration::from_millis(500)).await;
            standby.promote().await.unwrap();
        };
        tokio::join!(meanwhile, promoted).0
    };
    let (under_way, meanwhile) = tokio::join!(calls(&api, 0..8), fail_over);
    api.becomes_healthy().await;
    api.journal_empties().await;
    let at_new = sql(&standby).await;
    let first = under_way[0].1.processed().request_id;
    for (number, answer) in under_way.into_iter().chain(meanwhile) {
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = answer.processed().request_id;
        let row = at_new.query_opt(STATE, &[&id, &key(number)]).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("{number} is lost: {answer:?}"));
        let seen: (String, String) = (row.get(0), row.get(1));
        assert_eq!(seen, ("done".to_owned(), body(number)));
    }
    let again = api.post_keyed(&key(0), &body(0)).await;
    assert_eq!(again.processed().request_id, first);
}

#[tokio::test]
async fn what_was_told_under_a_key_is_put_back_where_a_lagging_standby_that_took_over_lacks_it() {
    let status = Arc::new(AtomicU16::new(200));
    let says = Arc::clone(&status);
    let worker = ScriptedWorker::start(Duration::ZERO, move |n, _| {
        (says.load(Ordering::SeqCst), format!("{{\"n\": {n}}}"))
    })
    .await;
    let (primary, standby, api) = two_nodes(&worker.url(), "").await;
    primary.mute().await.unwrap();
    let done = api.post_keyed("done", "1").await;
    assert_eq!(done.processed().recorded_in, RecordedIn::Database);
    status.store(503, Ordering::SeqCst);
    let deferred = api.post_keyed("deferred", "1").await;
    assert_eq!(deferred.status, 202, "{deferred:?}");
    assert_eq!(deferred.processed().recorded_in, RecordedIn::Database);
    primary.kill().await.unwrap();
    standby.promote().await.unwrap();
    status.store(200, Ordering::SeqCst);
    api.becomes_healthy().await;
    let at_new = sql(&standby).await;
    let key = "SELECT FROM idempotency_keys WHERE key = ANY (ARRAY['done', 'deferred'])";
    assert!(at_new.query(key, &[]).await.unwrap().is_empty(), "it lags");

    let called = worker.calls();
    let other = api.post_keyed("done", "2").await;
    assert_eq!(other.status, 422, "{other:?}");
    let again = api.post_keyed("done", "1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.degraded().is_empty(), "{again:?}");
    let (first, again) = (done.processed(), again.processed());
    assert_eq!(again.request_id, first.request_id);
    assert_eq!(again.worker_response, first.worker_response);
    assert_eq!(worker.calls(), called);
    let again = api.post_keyed("deferred", "1").await;
    let id = deferred.processed().request_id;
    assert_eq!(again.processed().request_id, id);
    api.comes_to_be(id, RequestStatus::Done).await;
    for (id, key) in [(first.request_id, "done"), (id, "deferred")] {
        let row = at_new.query_one(STATE, &[&id, &key]).await.unwrap();
        assert_eq!((row.get(0), row.get(1)), ("done", "1"));
    }
}
