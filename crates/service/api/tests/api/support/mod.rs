//! A whole system per test: worker, Postgres, a fault proxy before each, and the API on a port of its own.

mod answer;
mod api;
mod counting_worker;
mod events;
mod process;
mod scripted_worker;
mod test_config;
mod worker;

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_testbed::postgres::Cluster;
use holdfast_testbed::proxy::FaultProxy;
use holdfast_wire::JsonText;
use tokio_postgres::NoTls;

pub(crate) use answer::Answer;
pub(crate) use api::{Api, MACHINE, Metrics};
pub(crate) use counting_worker::CountingWorker;
pub(crate) use events::{Event, Events};
pub(crate) use process::Process;
pub(crate) use scripted_worker::ScriptedWorker;
pub(crate) use test_config::{ADMIN_TOKEN, TestConfig};
pub(crate) use worker::spawn_worker;

/// Everything, up and connected. Dropped, all of it goes away.
pub(crate) struct System {
    pub(crate) api: Api,
    pub(crate) worker: FaultProxy,
    pub(crate) database: FaultProxy,
    pub(crate) cluster: Cluster,
}

impl System {
    /// A healthy system under the quick policies; the work takes 50 ms.
    pub(crate) async fn start() -> Self {
        Self::with("", Duration::from_millis(50)).await
    }

    /// A healthy system under the quick policies with `policies` laid over them.
    pub(crate) async fn with(policies: &str, work_delay: Duration) -> Self {
        let cluster = Cluster::start().await.unwrap();
        Self::on(cluster, policies, work_delay, "holdfast_api").await
    }

    /// A system over this Postgres, whose tables the API owns.
    pub(crate) async fn owning(cluster: Cluster) -> Self {
        Self::on(cluster, "", Duration::from_millis(50), "holdfast").await
    }

    async fn on(cluster: Cluster, policies: &str, work_delay: Duration, role: &str) -> Self {
        let worker = spawn_worker(work_delay);
        let worker = FaultProxy::start(worker).await.unwrap();
        let database = SocketAddr::from(([127, 0, 0, 1], cluster.port()));
        let database = FaultProxy::start(database).await.unwrap();
        let worker_url = format!("http://{}", worker.addr());
        let mut config = TestConfig::new(&worker_url, database.addr(), policies);
        let address = database.addr();
        config.database_url = format!("postgres://{role}:holdfast@{address}/holdfast");
        let api = Api::start(config);
        Self {
            api,
            worker,
            database,
            cluster,
        }
    }

    /// A connection to Postgres that no fault touches.
    pub(crate) async fn sql(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.cluster.url(), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }
}

/// What the worker answers.
pub(crate) fn done() -> JsonText {
    JsonText::parse(r#"{"status":"done"}"#.to_owned()).unwrap()
}
