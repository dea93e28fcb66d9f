//! The thread that writes the log to standard output, and tells in it what it lacks.

use std::io::Write;
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::log_rate_limiter::Suppressed;
use super::queue::{Next, Queue};
use super::rate_limit_filter::RateLimitFilter;

/// How often it asks whether lines were suppressed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long the end of the process waits for a reader who does not read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The thread. Dropped, it writes what is left and ends.
pub(super) struct Writer(Queue);

impl Writer {
    /// Starts it. Where no thread can be had nothing is written: a service without a log is better than none.
    pub(super) fn start(queue: Queue, rate_limit: RateLimitFilter) -> Self {
        let source = queue.clone();
        let thread = thread::Builder::new().name("log".to_owned());
        let started = thread.spawn(move || {
            write_all(&source, &rate_limit);
            source.end();
        });
        if started.is_err() {
            queue.end();
        }
        Self(queue)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close(LAST_LINES);
    }
}

fn write_all(queue: &Queue, rate_limit: &RateLimitFilter) {
    let mut lines = Vec::new();
    loop {
        let next = queue.take(&mut lines, POLL_INTERVAL);
        // Told from here, where nobody is in the middle of logging: a line logged while one is being logged is lost. It
        // goes through the queue like any other.
        if let Next::Write {
            dropped: dropped @ 1..,
        } = next
        {
            tracing::warn!(
                dropped,
                "lines were dropped: the log is not read as fast as it is written"
            );
        }
        let ends = next == Next::End;
        let suppressed = rate_limit.suppressed(if ends { None } else { Some(Instant::now()) });
        if ends && suppressed.is_empty() {
            return;
        }
        suppressed.iter().for_each(warn_of_suppressed);
        // A full disk or a closed pipe costs the lines.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(&lines).and_then(|()| out.flush());
        lines.clear();
    }
}

fn warn_of_suppressed(suppressed: &Suppressed) {
    let Suppressed {
        line,
        dependency,
        reason,
        count,
    } = suppressed;
    tracing::warn!(
        line,
        dependency,
        reason,
        count,
        "lines were left out: the same came too often"
    );
}
