//! Waiting until a healed system has brought to its end all it ever accepted.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::SystemError;
use crate::output::{Console, Tone};
use crate::stage::AdminClient;

const POLL: Duration = Duration::from_millis(250);
/// Between two lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// What an API still has to bring to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Accepted and not finished, wherever that is written.
    pub open: u64,
    /// Entries of its journal that Postgres does not have yet.
    pub journal: u64,
}

impl Backlog {
    async fn of(probe: &AdminClient) -> Result<Self, SystemError> {
        let open = probe.requests("status=received&limit=1").await?.total;
        let journal = probe.status().await?.journal;
        Ok(Self {
            open,
            journal: journal.map_or(0, |journal| journal.entries),
        })
    }

    fn is_empty(&self) -> bool {
        self.open == 0 && self.journal == 0
    }
}

impl fmt::Display for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} open, {} in the journal", self.open, self.journal)
    }
}

/// Waits until no API has anything left to do, and shows how far each is. What was left when the time was over; nothing:
/// all is done.
pub async fn settle(probes: &[AdminClient], within: Duration, console: Console) -> Vec<String> {
    let start = Instant::now();
    let mut say_at = start;
    loop {
        let mut left = Vec::new();
        for probe in probes {
            match Backlog::of(probe).await {
                Ok(backlog) if backlog.is_empty() => {}
                Ok(backlog) => left.push(format!("{}: {backlog}", probe.base())),
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
