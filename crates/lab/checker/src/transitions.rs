//! Breakers' changes of state, as the API logs them: one JSON object per line.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::trial::Transition;

const MESSAGE: &str = "breaker changed state";

#[derive(Deserialize)]
struct Line {
    timestamp: Timestamp,
    message: String,
    dependency: String,
    from: String,
    to: String,
}

/// All of them from `epoch` on, in the order of the log. Other lines are passed over.
pub fn read(log: &str, epoch: Timestamp) -> Vec<Transition> {
    let lines = log.lines().filter(|line| line.contains(MESSAGE));
    let lines = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let lines = lines.filter(|line| line.message == MESSAGE && line.timestamp >= epoch);
    lines
        .map(|line| Transition {
            at: Duration::try_from(line.timestamp.duration_since(epoch)).unwrap_or_default(),
            dependency: line.dependency,
            from: line.from,
            to: line.to,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"timestamp":"2026-11-25T01:00:00.000000Z","level":"INFO","message":"breaker changed state","dependency":"worker","from":"closed","to":"open"}
{"timestamp":"2026-11-25T01:00:02.000000Z","level":"INFO","message":"listening","port":1}
not json: breaker changed state
{"timestamp":"2026-11-25T01:00:03.250000Z","level":"INFO","message":"breaker changed state","dependency":"worker","from":"open","to":"half_open"}"#;

    #[test]
    fn changes_since_the_epoch_are_read_and_all_else_is_passed_over() {
        let epoch = "2026-11-25T01:00:01Z".parse().unwrap();
        let read = read(LOG, epoch);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].at, Duration::from_millis(2250));
        assert_eq!((&*read[0].from, &*read[0].to), ("open", "half_open"));
    }
}
