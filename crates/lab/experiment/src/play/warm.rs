//! Calling a fresh system until it is warm.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::error::ExperimentError;
use crate::load::{Answer, Completion, Poster, body};
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
    let ask = async |number| ask(&url, bodiless, number).await;
    let warm = until_whole(WARM, PAUSE, deadline, ask).await;
    warm.map_err(|last| ExperimentError::NotSteady {
        side,
        seen: format!(
            "it did not answer {WARM} calls in a row as it should, the last one with {}",
            told(&last)
        ),
    })
}

/// Asks until so many answers in a row were whole. When time is up, the last end; none: there was not even that in time.
pub(crate) async fn until_whole(
    wanted: u32,
    pause: Duration,
    deadline: Instant,
    ask: impl AsyncFn(u64) -> Option<Completion>,
) -> Result<(), Option<Completion>> {
    let (mut in_a_row, mut number) = (0, 0);
    while in_a_row < wanted {
        number += 1;
        let end = ask(number).await;
        let answer = end.as_ref().and_then(Completion::answer);
        let is_whole = answer.is_some_and(Answer::is_whole);
        in_a_row = if is_whole { in_a_row + 1 } else { 0 };
        if Instant::now() > deadline {
            return Err(end);
        }
        sleep(pause).await;
    }
    Ok(())
}

/// Whether `/process` is served for `GET` alone, as the course's is.
pub(super) async fn takes_no_body(base: &str) -> bool {
    let end = ask(&format!("{base}/process"), false, 0).await;
    let answer = end.as_ref().and_then(Completion::answer);
    answer.is_some_and(|it| matches!(it.status, 404 | 405 | 501))
}

/// None: it did not answer in time.
async fn ask(url: &str, bodiless: bool, number: u64) -> Option<Completion> {
    let poster = Poster::default();
    let key = format!("{KEY}-{number}");
    let body = (!bodiless).then(|| body(number, &key));
    let asked = poster.ask(url, &key, body.as_ref(), &[]);
    timeout(PATIENCE, asked).await.ok()
}

fn told(end: &Option<Completion>) -> String {
    match end {
        Some(Completion::Answered(answer)) => format!("status {}", answer.status),
        Some(broken) => format!("no answer ({broken:?})"),
        None => format!("nothing within {} s", PATIENCE.as_secs()),
    }
}
