//! The make targets as a user runs them: the contract, row by row, on each stage in turn. Break, assert, heal, assert. Run by
//! `make e2e` and `make e2e-swarm`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says bluntly what it expects, and a long one what it does"
)]

mod client;
mod make;
mod nodes;
mod steps;

use client::Client;
use make::Stage;

/// A stopped container, or task, has no name, and its address may answer with silence.
const GONE_WITH_ITS_NAME: [&str; 4] = [
    "dns_failure",
    "connect_timeout",
    "connect_refused",
    "connection_reset",
];

#[tokio::test]
#[ignore = "drives a whole stage for minutes: run by make e2e"]
async fn the_contract_holds_on_local_processes() {
    run(Stage {
        name: "local",
        settings: &["API_PORT=18080", "WORKER_PORT=18081", "DB_PORT=15432"],
        gone: &["connect_refused", "connection_reset"],
    })
    .await;
}

#[tokio::test]
#[ignore = "builds images and drives a whole stage for minutes: run by make e2e where a Docker engine answers"]
async fn the_contract_holds_on_compose() {
    run(Stage {
        name: "compose",
        settings: &["API_PORT=18080"],
        gone: &GONE_WITH_ITS_NAME,
    })
    .await;
}

#[tokio::test]
#[ignore = "makes three Docker engines and drives a whole stage for minutes: run by make e2e-swarm, as root"]
async fn the_contract_holds_while_a_node_dies_and_comes_back() {
    run_on_nodes(Stage {
        name: "swarm",
        settings: &["API_PORT=18080", "WORKER_PORT=18081", "DB_PORT=15432"],
        gone: &GONE_WITH_ITS_NAME,
    })
    .await;
}

/// Plays all rows in order; each leaves the system healthy for the next.
async fn run(stage: Stage) {
    let _down_at_the_end = stage.guard();
    steps::comes_up_fresh_and_again(&stage).await;
    let client = Client::new().await;
    steps::is_healthy(&client).await;
    steps::survives_a_dead_worker(&stage, &client).await;
    steps::survives_a_paused_worker(&stage, &client).await;
    steps::survives_a_dead_database(&stage, &client).await;
    steps::survives_a_paused_database(&stage, &client).await;
    steps::accepts_in_time_without_both(&stage, &client, "kill", "start").await;
    steps::accepts_in_time_without_both(&stage, &client, "pause", "resume").await;
    steps::keeps_its_promises_over_its_own_death(&stage, &client, "worker").await;
    steps::keeps_its_promises_over_its_own_death(&stage, &client, "db").await;
    steps::is_repaired_with_all_that_it_owes(&stage, &client).await;
    steps::takes_up_a_database_of_before(&stage, &client).await;
    steps::takes_a_key_for_one_request(&client).await;
    steps::has_lost_nothing(&stage, &client);
    steps::goes_down_twice(&stage).await;
}

/// Where there are several nodes: what the others do while one is gone.
async fn run_on_nodes(stage: Stage) {
    let _down_at_the_end = stage.guard();
    stage.make("down");
    stage.make("up");
    let client = Client::new().await;
    client.becomes_healthy().await;
    nodes::answers_while_a_node_is(&stage, &client, "kill", "start").await;
    nodes::answers_while_a_node_is(&stage, &client, "cut", "mend").await;
    nodes::answers_while_a_node_is(&stage, &client, "drain", "activate").await;
    nodes::defers_without_any_worker(&stage, &client).await;
    steps::has_lost_nothing(&stage, &client);
    steps::goes_down_twice(&stage).await;
}
