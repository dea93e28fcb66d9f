//! What the resilient side must answer at a stop of the tour: refusals alone, however well worded, hold nothing.

use std::fmt;

use holdfast_wire::{DegradedCode, Processed, RecordedIn};

/// An answer of the contract's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// 200, nothing missing.
    Whole,
    /// 202: accepted, the worker is missing.
    Accepted,
    /// 200, recorded in the journal, for the database is missing.
    Journalled,
}

impl Expected {
    /// Whether this is it; none: no promise was made.
    pub(super) fn is(self, status: Option<u16>, answer: Option<&Processed>) -> bool {
        answer.is_some_and(|answer| {
            let degraded = answer.degraded.iter().map(|entry| entry.code);
            let degraded: Vec<DegradedCode> = degraded.collect();
            let (wanted, missing, place): (u16, &[DegradedCode], _) = match self {
                Self::Whole => (200, &[], RecordedIn::Database),
                Self::Accepted => (
                    202,
                    &[DegradedCode::WorkerUnavailable],
                    RecordedIn::Database,
                ),
                Self::Journalled => (200, &[DegradedCode::DbUnavailable], RecordedIn::Journal),
            };
            status == Some(wanted) && degraded == missing && answer.recorded_in == place
        })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "a 200 with nothing missing",
            Self::Accepted => "a 202 recorded in Postgres",
            Self::Journalled => "a 200 recorded in the journal",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(place: &str, code: Option<&str>) -> Processed {
        let degraded = code.map(|code| {
            format!(
                r#"{{"code":"{code}","reason":"circuit_open","detail":"d","attempts":0,"elapsed_seconds":0.0,
                "retry_after_seconds":1.0}}"#
            )
        });
        let text = format!(
            r#"{{"request_id":"0198c0de-0000-7000-8000-000000000000","status":"ok","worker_response":null,
            "latency_seconds":0.2,"recorded_in":"{place}","degraded":[{}]}}"#,
            degraded.unwrap_or_default()
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_stop_has_one_answer_and_a_refusal_is_none() {
        let answers = [
            (Expected::Whole, 200, answer("database", None)),
            (
                Expected::Accepted,
                202,
                answer("database", Some("worker_unavailable")),
            ),
            (
                Expected::Journalled,
                200,
                answer("journal", Some("db_unavailable")),
            ),
        ];
        for (expected, ..) in &answers {
            assert!(!expected.is(Some(503), None) && !expected.is(None, None));
            for (one, status, answer) in &answers {
                assert_eq!(expected.is(Some(*status), Some(answer)), expected == one);
            }
        }
    }
}
