//! The make targets as a user runs them, on a Swarm of three nodes. Run by `make e2e-swarm`, as root.

mod e2e;

use e2e::Stage;

#[tokio::test]
#[ignore = "makes three Docker engines and drives a whole stage for minutes: run by make e2e-swarm"]
async fn the_contract_holds_while_a_node_dies_and_comes_back() {
    e2e::run_on_nodes(Stage {
        name: "swarm",
        settings: &["API_PORT=18080", "WORKER_PORT=18081", "DB_PORT=15432"],
        // No task, no name.
        gone: &[
            "dns_failure",
            "connect_refused",
            "connect_timeout",
            "connection_reset",
        ],
    })
    .await;
}
