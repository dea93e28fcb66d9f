//! The make targets as a user runs them, on Compose. Run by `make e2e` where a Docker engine answers.

mod e2e;

use e2e::Stage;

#[tokio::test]
#[ignore = "builds images and drives a whole stage for minutes: run by make e2e"]
async fn the_contract_holds_on_compose() {
    e2e::run(Stage {
        name: "compose",
        settings: &["API_PORT=18080"],
        // A stopped container has no name, and its address may answer with silence.
        gone: &[
            "dns_failure",
            "connect_timeout",
            "connect_refused",
            "connection_reset",
        ],
    })
    .await;
}
