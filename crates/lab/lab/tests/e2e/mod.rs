//! The contract, row by row, on a stage that the make targets drive: break, assert, heal, assert.

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
pub(crate) use make::Stage;

/// Plays all rows in order; each leaves the system healthy for the next.
#[allow(dead_code, reason = "each stage has a test program of its own")]
pub(crate) async fn run(stage: Stage) {
    let _down_at_the_end = stage.guard();
    steps::comes_up_fresh_and_again(&stage).await;
    let client = Client::new("http://127.0.0.1:18080").await;
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
#[allow(dead_code, reason = "each stage has a test program of its own")]
pub(crate) async fn run_on_nodes(stage: Stage) {
    let _down_at_the_end = stage.guard();
    stage.make("down");
    stage.make("up");
    let client = Client::new("http://127.0.0.1:18080").await;
    client.becomes_healthy().await;
    nodes::answers_while_a_node_is(&stage, &client, "kill", "start").await;
    nodes::answers_while_a_node_is(&stage, &client, "cut", "mend").await;
    nodes::answers_while_a_node_is(&stage, &client, "drain", "activate").await;
    nodes::defers_without_any_worker(&stage, &client).await;
    steps::has_lost_nothing(&stage, &client);
    steps::goes_down_twice(&stage).await;
}
