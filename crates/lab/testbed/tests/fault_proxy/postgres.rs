//! The proxy before a real Postgres.

use std::time::Duration;

use holdfast_testbed::ports::loopback;
use holdfast_testbed::postgres::{self, Cluster};
use holdfast_testbed::proxy::{Fault, FaultProxy};
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, Error};

use crate::support::{LONG, SHORT, reset};

struct Database {
    _cluster: Cluster,
    proxy: FaultProxy,
}

impl Database {
    async fn start() -> Self {
        let cluster = Cluster::start().await.unwrap();
        let proxy = FaultProxy::start(loopback(cluster.port())).await.unwrap();
        Self {
            _cluster: cluster,
            proxy,
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        postgres::session(&postgres::url(self.proxy.addr().port())).await
    }
}

async fn one(client: &Client) -> Result<(), Error> {
    let row = timeout(LONG, client.query_one("SELECT 1", &[])).await;
    row.expect("no answer")
        .map(|row| assert_eq!(row.get::<_, i32>(0), 1))
}

#[tokio::test]
async fn a_blackhole_silences_sessions_and_logins_and_the_session_goes_on_when_it_heals() {
    let database = Database::start().await;
    let client = database.connect().await.unwrap();
    one(&client).await.unwrap();

    database.proxy.set(Fault::Blackhole).await;
    assert!(timeout(SHORT, database.connect()).await.is_err());
    let query = client.query_one("SELECT 2", &[]);
    tokio::pin!(query);
    assert!(timeout(SHORT, &mut query).await.is_err());

    database.proxy.set(Fault::None).await;
    let row = timeout(LONG, query).await.unwrap().unwrap();
    assert_eq!(row.get::<_, i32>(0), 2);
    one(&database.connect().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn latency_slows_every_statement_and_each_is_a_request() {
    let database = Database::start().await;
    let client = database.connect().await.unwrap();
    let statement = client.prepare("SELECT 1").await.unwrap();
    let before = database.proxy.requests();
    let delay = Duration::from_millis(100);
    let latency = Fault::Latency {
        delay,
        jitter: Duration::ZERO,
        share: 1.0,
    };
    database.proxy.set(latency).await;
    for _ in 0..3 {
        let asked = Instant::now();
        client.query_one(&statement, &[]).await.unwrap();
        assert!(asked.elapsed() >= delay, "{:?}", asked.elapsed());
    }
    assert_eq!(database.proxy.requests(), before + 3);
    database.proxy.set(Fault::None).await;
    one(&client).await.unwrap();
}

#[tokio::test]
async fn reset_and_garbage_end_sessions_and_logins_and_heal() {
    let database = Database::start().await;
    for fault in [reset(1), Fault::Garbage { share: 1.0 }] {
        let client = database.connect().await.unwrap();
        one(&client).await.unwrap();
        database.proxy.set(fault).await;
        one(&client).await.unwrap_err();
        let made = timeout(LONG, database.connect()).await;
        made.expect("no answer").err().unwrap();
        database.proxy.set(Fault::None).await;
    }
    one(&database.connect().await.unwrap()).await.unwrap();
}
