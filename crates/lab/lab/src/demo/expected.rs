//! What the resilient side must answer at a stop of the tour: refusals alone, however well worded, hold nothing.

use holdfast_wire::{DegradedCode, Processed, RecordedIn};

/// An answer of the contract's table.
pub(super) struct Expected {
    status: u16,
    missing: &'static [DegradedCode],
    recorded_in: RecordedIn,
    pub(super) in_words: &'static str,
}

pub(super) const WHOLE: Expected = Expected {
    status: 200,
    missing: &[],
    recorded_in: RecordedIn::Database,
    in_words: "a 200 with nothing missing",
};
pub(super) const ACCEPTED: Expected = Expected {
    status: 202,
    missing: &[DegradedCode::WorkerUnavailable],
    recorded_in: RecordedIn::Database,
    in_words: "a 202 recorded in Postgres",
};
pub(super) const JOURNALLED: Expected = Expected {
    status: 200,
    missing: &[DegradedCode::DbUnavailable],
    recorded_in: RecordedIn::Journal,
    in_words: "a 200 recorded in the journal",
};

impl Expected {
    /// Whether this is it; none: no promise was made.
    pub(super) fn is(&self, status: Option<u16>, answer: Option<&Processed>) -> bool {
        answer.is_some_and(|answer| {
            status == Some(self.status)
                && answer.recorded_in == self.recorded_in
                && answer
                    .degraded
                    .iter()
                    .map(|entry| &entry.code)
                    .eq(self.missing)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(place: &str, missing: &[&str]) -> Processed {
        let degraded = missing.iter().map(|code| {
            json!({"code": code, "reason": "circuit_open", "detail": "d", "attempts": 0, "elapsed_seconds": 0.0,
                "retry_after_seconds": 1.0})
        });
        let answer = json!({"request_id": "0198c0de-0000-7000-8000-000000000000", "status": "ok", "worker_response": null,
            "latency_seconds": 0.2, "recorded_in": place, "degraded": degraded.collect::<Vec<_>>()});
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn each_stop_has_one_answer_and_a_refusal_is_none() {
        let answers = [
            (200, answer("database", &[])),
            (202, answer("database", &["worker_unavailable"])),
            (200, answer("journal", &["db_unavailable"])),
        ];
        for (place, expected) in [WHOLE, ACCEPTED, JOURNALLED].iter().enumerate() {
            assert!(!expected.is(Some(503), None) && !expected.is(None, None));
            for (other, (status, answer)) in answers.iter().enumerate() {
                assert_eq!(expected.is(Some(*status), Some(answer)), place == other);
            }
        }
    }
}
