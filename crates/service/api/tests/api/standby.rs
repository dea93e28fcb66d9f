//! A standby that lags takes over: what is in the API's hands then is not lost with the old primary.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_testbed::postgres::{Cluster, ClusterOptions};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::support::{Answer, Api, Surroundings, spawn_worker};

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

#[tokio::test]
async fn what_was_under_way_when_a_lagging_standby_took_over_is_recorded_whole_in_the_new_primary()
{
    let primary = Cluster::start(ClusterOptions::default()).await.unwrap();
    let standby = primary.standby().await.unwrap();
    let hosts = [&primary, &standby].map(|node| format!("127.0.0.1:{}", node.port()));
    let api = Api::start(Surroundings {
        database_url: format!(
            "postgres://holdfast:holdfast@{}/holdfast?target_session_attrs=read-write",
            hosts.join(",")
        ),
        ..Surroundings::new(
            &format!("http://{}", spawn_worker(WORK)),
            ([127, 0, 0, 1], 1).into(),
            PATIENT,
        )
    });
    api.becomes_healthy().await;
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
