//! What is said on a control connection: one JSON object per line, each answered by one with the same number.

use serde::{Deserialize, Serialize};

use crate::proxy::Fault;

/// Longer than any line there is.
pub(super) const LONGEST_LINE: u64 = 4096;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// Of its answer too: one who stopped waiting for an answer can tell it from the next.
    pub(super) number: u64,
    pub(super) link: String,
    /// Sets this fault; without it the counters are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) set: Option<Fault>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// Requests seen on this link; a fault that was set is in force.
    pub(super) requests: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Fault> {
        serde_json::from_str::<Request>(line).unwrap().set
    }

    #[test]
    fn a_person_can_write_a_line() {
        let refuse = r#"{"number":1,"link":"worker","set":"refuse"}"#;
        assert_eq!(parsed(refuse), Some(Fault::Refuse));
        let late = r#"{"number":2,"link":"worker","set":{"latency":{"delay":"2s","jitter":"100ms","share":0.5}}}"#;
        let Some(Fault::Latency { delay, share, .. }) = parsed(late) else {
            panic!("no latency");
        };
        assert_eq!((delay.as_secs(), share), (2, 0.5));
        assert_eq!(parsed(r#"{"number":3,"link":"worker"}"#), None);
    }

    #[test]
    fn what_is_written_is_read_and_what_is_unknown_refused() {
        let request = Request {
            number: 7,
            link: "database".to_owned(),
            set: Some(Fault::Reset {
                after: 1,
                share: 1.0,
            }),
        };
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        let unknown = r#"{"number":1,"link":"worker","fault":"refuse"}"#;
        assert!(serde_json::from_str::<Request>(unknown).is_err());
    }
}
