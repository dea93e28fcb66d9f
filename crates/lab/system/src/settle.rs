//! Waiting until a healed system has brought to its end all it ever accepted.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::SystemError;
use crate::output::{Console, Tone};
use crate::stage::AdminClient;

const POLL: Duration = Duration::from_millis(250);
/// Between two lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What an API still has to bring to its end, wherever that is written, and which entries of its journal to Postgres; none: nothing.
async fn backlog(probe: &AdminClient) -> Result<Option<String>, SystemError> {
    let open = probe.requests("status=received&limit=1").await?.total;
    let journal = probe.status().await?.journal;
    let entries = journal.map_or(0, |journal| journal.entries);
    let is_left = open > 0 || entries > 0;
    Ok(is_left.then(|| format!("{open} open, {entries} in the journal")))
}

/// Waits until no API has anything left to do, and shows how far each is. What was left when the time was over; nothing:
/// all is done.
pub async fn settle(probes: &[AdminClient], within: Duration, console: Console) -> Vec<String> {
    let start = Instant::now();
    let mut say_at = start;
    loop {
        let mut left = Vec::new();
        for probe in probes {
            match backlog(probe).await {
                Ok(None) => {}
                Ok(Some(backlog)) => left.push(format!("{}: {backlog}", probe.base())),
                Err(error) => left.push(error.to_string()),
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        if left.is_empty() {
            let done = console.paint(Tone::Good, "nothing left to do");
            console.say(format_args!("  {done} after {seconds:.1} s"));
            return left;
        }
        if start.elapsed() > within {
            return left;
        }
        if Instant::now() >= say_at {
            for line in &left {
                console.say(console.paint(Tone::Faint, format_args!("  {seconds:>5.1} s  {line}")));
            }
            say_at = Instant::now() + SAY_EVERY;
        }
        sleep(POLL).await;
    }
}
