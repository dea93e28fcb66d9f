//! The throw-away Postgres: what a test breaks stays broken until it heals it, and nothing is left behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests may be blunt")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_testbed::ports;
use holdfast_testbed::postgres::{self, Cluster};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_postgres::Client;

const SHORT: Duration = Duration::from_millis(300);

async fn cluster() -> Cluster {
    Cluster::start().await.unwrap()
}

async fn client(cluster: &Cluster) -> Client {
    postgres::session(&cluster.url()).await.unwrap()
}

async fn text(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn insert(client: &Client) {
    let sql = "INSERT INTO requests (id, origin) VALUES (gen_random_uuid(), 'resilient')";
    client.batch_execute(sql).await.unwrap();
}

async fn rows(client: &Client) -> i64 {
    let sql = "SELECT count(*) FROM requests";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Where the server keeps its data, as it says itself.
async fn data_directory(client: &Client) -> PathBuf {
    text(client, "SHOW data_directory").await.into()
}

#[tokio::test]
async fn it_has_the_schema_and_keeps_its_writes_durable() {
    let cluster = cluster().await;
    let client = client(&cluster).await;
    insert(&client).await;
    assert_eq!(rows(&client).await, 1);
    assert_eq!(text(&client, "SHOW fsync").await, "on");
    assert_eq!(text(&client, "SHOW synchronous_commit").await, "on");
    assert_eq!(text(&client, "SHOW listen_addresses").await, "127.0.0.1");
    let encryption = text(&client, "SHOW password_encryption").await;
    assert_eq!(encryption, "scram-sha-256");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let cluster = cluster().await;
    let url = cluster.url().replace(":holdfast@", ":wrong@");
    let error = postgres::session(&url).await.err().unwrap();
    assert_eq!(error.code().unwrap().code(), "28P01");
}

#[tokio::test]
async fn a_killed_cluster_refuses_and_returns_on_the_same_port_with_its_data() {
    let mut cluster = cluster().await;
    insert(&client(&cluster).await).await;

    cluster.kill().await.unwrap();
    let refused = TcpStream::connect(ports::loopback(cluster.port())).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    cluster.kill().await.unwrap();

    let port = cluster.port();
    cluster.start_again().await.unwrap();
    assert_eq!(cluster.port(), port);
    assert_eq!(rows(&client(&cluster).await).await, 1);
}

#[tokio::test]
async fn a_paused_cluster_accepts_but_answers_nobody_not_even_on_open_sessions() {
    let cluster = cluster().await;
    let open = client(&cluster).await;
    insert(&open).await;

    cluster.pause().await.unwrap();
    let accepted = TcpStream::connect(ports::loopback(cluster.port())).await;
    accepted.unwrap();
    let answered = timeout(SHORT, open.simple_query("SELECT 1")).await;
    assert!(answered.is_err(), "an open session answered");
    let made = timeout(SHORT, postgres::session(&cluster.url())).await;
    assert!(made.is_err(), "a new session was made");

    cluster.resume();
    assert_eq!(rows(&open).await, 1);
    assert_eq!(rows(&client(&cluster).await).await, 1);
}

#[tokio::test]
async fn a_paused_cluster_can_be_killed_and_a_paused_one_started_again_goes_on() {
    let mut cluster = cluster().await;
    cluster.pause().await.unwrap();
    cluster.start_again().await.unwrap();
    insert(&client(&cluster).await).await;

    cluster.pause().await.unwrap();
    cluster.kill().await.unwrap();
    cluster.start_again().await.unwrap();
    assert_eq!(rows(&client(&cluster).await).await, 1);
}

#[tokio::test]
async fn a_dropped_cluster_leaves_no_process_no_folder_and_no_port_also_where_it_is_paused() {
    for paused in [false, true] {
        let cluster = cluster().await;
        let data = data_directory(&client(&cluster).await).await;
        let port = cluster.port();
        assert!(data.is_dir());
        if paused {
            cluster.pause().await.unwrap();
        }
        drop(cluster);
        assert!(!data.parent().unwrap().exists());
        TcpListener::bind(ports::loopback(port)).await.unwrap();
    }
}

#[tokio::test]
async fn the_cluster_of_a_dead_owner_is_reaped_by_the_next_start() {
    let abandoned = cluster().await;
    let client = client(&abandoned).await;
    let data = data_directory(&client).await;
    let folder = data.parent().unwrap();
    declare_owner_dead(folder);
    std::mem::forget(abandoned);

    let _next = cluster().await;
    assert!(!folder.exists());
    let answer = client.simple_query("SELECT 1").await;
    assert!(answer.is_err(), "the abandoned server still answers");
}

/// Changes the recorded start of the owner, so that the pid is there but belongs to somebody else.
fn declare_owner_dead(folder: &Path) {
    let path = folder.join("owner.json");
    let mut record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["owner"]["started"] = "long ago".into();
    std::fs::write(&path, record.to_string()).unwrap();
}
