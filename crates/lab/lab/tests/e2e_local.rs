//! The make targets as a user runs them, on local processes. Run by `make e2e`.

mod e2e;

use e2e::Stage;

#[tokio::test]
#[ignore = "drives a whole stage for minutes: run by make e2e"]
async fn the_contract_holds_on_local_processes() {
    e2e::run(Stage {
        name: "local",
        settings: &["API_PORT=18080", "WORKER_PORT=18081", "DB_PORT=15432"],
        gone: &["connect_refused", "connection_reset"],
    })
    .await;
}
