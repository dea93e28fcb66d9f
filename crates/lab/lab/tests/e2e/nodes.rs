//! Rows of the contract where there are several nodes.

use crate::client::Client;
use crate::make::Stage;
use crate::steps::assert_deferred;

/// On three APIs in turn.
const CALLS_WHILE_HURT: usize = 6;

/// Whichever node Postgres' primary is on: each goes once, and comes back before the next.
pub(crate) async fn answers_while_a_node_is(
    stage: &Stage,
    client: &Client,
    hurt: &str,
    heal: &str,
) {
    for node in 1..=3 {
        stage.make(&format!("{hurt}-node NODE={node}"));
        let status = stage.try_make("status").0;
        let said = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(hurt == "cut" || said.contains("of 3 are healthy"), "{said}");
        client.is_led_to_the_living().await;
        for _ in 0..CALLS_WHILE_HURT {
            let answer = client.process().await;
            assert!([200, 202].contains(&answer.status.as_u16()), "{answer:?}");
        }
        stage.make(&format!("{heal}-node NODE={node}"));
        stage.make("up");
        client.all_become_healthy().await;
    }
}

pub(crate) async fn defers_without_any_worker(stage: &Stage, client: &Client) {
    stage.make("kill-worker");
    let answer = client.process().await;
    assert_deferred(&answer);
    assert!(!stage.try_make("pause-db").0.status.success());
    stage.make("start-worker");
    client.becomes_healthy().await;
}
