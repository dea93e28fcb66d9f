//! Calling a fresh system until it is warm.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::ExperimentError;
use crate::load::{Answer, Poster, Reply, body};
use crate::plan::Side;
use crate::stage::AdminClient;

/// Whole answers in a row by which a fresh system is known to be warm: connections are open, statements prepared.
const WARM: u32 = 8;
const WARM_WITHIN: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);
/// For one call. The work itself takes at most ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);
const KEY: &str = "before-the-load";

/// Calls the side, as the load will, until it answers as it should, several times in a row.
pub(super) async fn warm(
    side: Side,
    api: &AdminClient,
    bodiless: bool,
    work_delay: Duration,
) -> Result<(), ExperimentError> {
    let deadline = Instant::now() + WARM_WITHIN + WARM * work_delay;
    let url = format!("{}{}", api.base(), side.path());
    let (mut in_a_row, mut number) = (0, 0);
    while in_a_row < WARM {
        number += 1;
        let reply = ask(&url, bodiless, number).await;
        in_a_row = if is_whole(&reply) { in_a_row + 1 } else { 0 };
        if Instant::now() > deadline {
            let seen = format!(
                "it did not answer {WARM} calls in a row as it should, the last one with {}",
                told(&reply)
            );
            return Err(ExperimentError::NotSteady { side, seen });
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Whether `/process` is served for `GET` alone, as the course's is.
pub(super) async fn takes_no_body(base: &str) -> bool {
    let reply = ask(&format!("{base}/process"), false, 0).await;
    matches!(
        reply,
        Some(Reply::Answer(Answer {
            status: 404 | 405 | 501,
            ..
        }))
    )
}

/// None: it did not answer in time.
async fn ask(url: &str, bodiless: bool, number: u64) -> Option<Reply> {
    let poster = Poster::default();
    let key = format!("{KEY}-{number}");
    let body = (!bodiless).then(|| body(number, &key));
    let asked = poster.ask(url, &key, body.as_ref(), &[]);
    timeout(PATIENCE, asked).await.ok()
}

fn is_whole(reply: &Option<Reply>) -> bool {
    matches!(reply, Some(Reply::Answer(Answer { status: 200, degraded, .. })) if degraded.is_empty())
}

fn told(reply: &Option<Reply>) -> String {
    match reply {
        Some(Reply::Answer(answer)) => format!("status {}", answer.status),
        Some(Reply::Broken(broken)) => format!("no answer ({broken:?})"),
        None => format!("nothing within {} s", PATIENCE.as_secs()),
    }
}
